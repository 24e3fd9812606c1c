import { AppError } from './errors.js';

/**
 * Interleaved rgb24 pixels, rows top to bottom without padding. Where `contentWidth`/`contentHeight` are given,
 * only that part (from the top left corner) is picture; the rest is never read.
 */
export interface RgbSource {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly contentWidth?: number;
  readonly contentHeight?: number;
}

/** A part of a picture, in its pixels; may have fractions and may lie partly or wholly outside. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface ResampleTarget {
  readonly data: Uint8Array;
  /** Bytes before the first pixel. */
  readonly offset: number;
  readonly width: number;
  readonly height: number;
  /** Bytes from one row to the next. */
  readonly strideBytes: number;
}

/*
 * Fixed point: both passes use weights that add up to exactly 2^11, so a sum of byte × weight × weight stays
 * below 2^30 and every step is a 32-bit integer operation; rounding happens once, at the end.
 */
const WEIGHT_BITS = 11;
const WEIGHT_ONE = 1 << WEIGHT_BITS;
const SHIFT = 2 * WEIGHT_BITS;
const HALF = 1 << (SHIFT - 1);

/** For each output position: the first source position, how many, and their weights. Grown, never shrunk. */
class Taps {
  first = new Int32Array(0);
  count = new Int32Array(0);
  weights = new Int32Array(0);
  /** Positions held for each output in `weights`. */
  span = 0;

  /**
   * Weights of a box as wide as one output pixel (area average) where the picture shrinks, of a box one source
   * pixel wide (which is linear interpolation) where it grows. Positions outside [0, limit) count for the
   * nearest one inside.
   */
  prepare(start: number, length: number, outputs: number, limit: number): void {
    const step = length / outputs;
    const reach = Math.max(step, 1);
    this.span = Math.ceil(reach) + 1;
    if (this.first.length < outputs) {
      this.first = new Int32Array(outputs);
      this.count = new Int32Array(outputs);
    }
    if (this.weights.length < outputs * this.span) this.weights = new Int32Array(outputs * this.span);
    const last = limit - 1;
    for (let i = 0; i < outputs; i++) {
      const from = start + (i + 0.5) * step - reach / 2;
      const to = from + reach;
      const lowest = Math.floor(from);
      const highest = Math.max(lowest, Math.ceil(to) - 1);
      const first = Math.min(Math.max(lowest, 0), last);
      const count = Math.min(Math.max(highest, 0), last) - first + 1;
      const base = i * this.span;
      // Rounding the running sum, not each weight, makes them add up to exactly one.
      let given = 0;
      for (let k = 0; k < count; k++) {
        const until = k === count - 1 ? to : Math.min(Math.max(first + k + 1, from), to);
        const sum = Math.round(((until - from) / reach) * WEIGHT_ONE);
        this.weights[base + k] = sum - given;
        given = sum;
      }
      this.first[i] = first;
      this.count[i] = count;
    }
  }
}

// Scratch of this thread: nothing is allocated per call once it has grown to the sizes in use.
const columns = new Taps();
const rows = new Taps();
let cachedRows = new Int32Array(0);
let cachedRowNumbers = new Int32Array(0);
let sums = new Int32Array(0);

/**
 * Draws `region` of `source` over the whole of `target`: area average where it shrinks, bilinear where it
 * grows, each axis by itself (the two meet at scale 1). What lies outside of the picture repeats its edge.
 * `target` must not overlap `source`. Throws `AppError` PIXELS_BAD_INPUT.
 */
export function resample(source: RgbSource, region: Region, target: ResampleTarget): void {
  const contentWidth = source.contentWidth ?? source.width;
  const contentHeight = source.contentHeight ?? source.height;
  check(source, contentWidth, contentHeight, region, target);
  columns.prepare(region.x, region.width, target.width, contentWidth);
  rows.prepare(region.y, region.height, target.height, contentHeight);

  const rowLength = target.width * 3;
  // Rows are asked for in rising order and an output row needs `span` of them: a ring of that size suffices.
  const ringSize = rows.span;
  if (cachedRows.length < ringSize * rowLength) cachedRows = new Int32Array(ringSize * rowLength);
  if (cachedRowNumbers.length < ringSize) cachedRowNumbers = new Int32Array(ringSize);
  cachedRowNumbers.fill(-1);
  if (sums.length < rowLength) sums = new Int32Array(rowLength);

  for (let y = 0; y < target.height; y++) {
    const first = rows.first[y]!;
    const count = rows.count[y]!;
    for (let row = first; row < first + count; row++) {
      const slot = row % ringSize;
      if (cachedRowNumbers[slot] === row) continue;
      resampleRow(source.data, row * source.width * 3, target.width, slot * rowLength);
      cachedRowNumbers[slot] = row;
    }
    mixRows(
      first,
      count,
      y * rows.span,
      ringSize,
      rowLength,
      target.data,
      target.offset + y * target.strideBytes,
    );
  }
}

/** One source row to `width` pixels of 2^11 × its value, into the ring at `into`. */
function resampleRow(data: Uint8Array, rowStart: number, width: number, into: number): void {
  const { first, count, weights, span } = columns;
  const ring = cachedRows;
  let out = into;
  for (let x = 0; x < width; x++) {
    let at = rowStart + first[x]! * 3;
    let w = x * span;
    let weight = weights[w]!;
    let red = data[at]! * weight;
    let green = data[at + 1]! * weight;
    let blue = data[at + 2]! * weight;
    for (const end = w + count[x]!; ++w < end; ) {
      at += 3;
      weight = weights[w]!;
      red = (red + data[at]! * weight) | 0;
      green = (green + data[at + 1]! * weight) | 0;
      blue = (blue + data[at + 2]! * weight) | 0;
    }
    ring[out] = red;
    ring[out + 1] = green;
    ring[out + 2] = blue;
    out += 3;
  }
}

function mixRows(
  first: number,
  count: number,
  weightsAt: number,
  ringSize: number,
  length: number,
  out: Uint8Array,
  outAt: number,
): void {
  const ring = cachedRows;
  const { weights } = rows;
  if (count <= 2) {
    const a = (first % ringSize) * length;
    const b = count === 2 ? ((first + 1) % ringSize) * length : a;
    const wa = weights[weightsAt]!;
    const wb = count === 2 ? weights[weightsAt + 1]! : 0;
    for (let i = 0; i < length; i++) {
      out[outAt + i] = (Math.imul(ring[a + i]!, wa) + Math.imul(ring[b + i]!, wb) + HALF) >> SHIFT;
    }
    return;
  }
  const sum = sums;
  sum.fill(HALF, 0, length);
  for (let k = 0; k < count; k++) {
    const at = ((first + k) % ringSize) * length;
    const weight = weights[weightsAt + k]!;
    for (let i = 0; i < length; i++) sum[i] = (sum[i]! + Math.imul(ring[at + i]!, weight)) | 0;
  }
  for (let i = 0; i < length; i++) out[outAt + i] = sum[i]! >> SHIFT;
}

function check(
  source: RgbSource,
  contentWidth: number,
  contentHeight: number,
  region: Region,
  target: ResampleTarget,
): void {
  const fits =
    isSize(source.width) &&
    isSize(source.height) &&
    isSize(contentWidth) &&
    isSize(contentHeight) &&
    contentWidth <= source.width &&
    contentHeight <= source.height &&
    source.data.length >= source.width * source.height * 3;
  if (!fits) {
    throw new AppError(
      'PIXELS_BAD_INPUT',
      `A picture of ${source.width}×${source.height} (content ${contentWidth}×${contentHeight}) cannot have ${source.data.length} bytes of rgb24.`,
    );
  }
  const isRegion =
    Number.isFinite(region.x) && Number.isFinite(region.y) && region.width > 0 && region.height > 0;
  if (!isRegion || !Number.isFinite(region.width) || !Number.isFinite(region.height)) {
    throw new AppError(
      'PIXELS_BAD_INPUT',
      `Not a region with an area: ${region.x}, ${region.y}, ${region.width}×${region.height}.`,
    );
  }
  const lastByte = target.offset + (target.height - 1) * target.strideBytes + target.width * 3;
  if (!isSize(target.width) || !isSize(target.height) || target.offset < 0 || lastByte > target.data.length) {
    throw new AppError(
      'PIXELS_BAD_INPUT',
      `${target.width}×${target.height} pixels from byte ${target.offset} do not fit into ${target.data.length} bytes.`,
    );
  }
}

function isSize(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}
