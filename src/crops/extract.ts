import type { Box } from '../domain/box.js';
import { AppError } from '../lib/errors.js';
import { type Region, type RgbSource, resample } from '../lib/resample.js';
import { turnSquare } from '../lib/turn-square.js';

export interface CropGeometry {
  /** Side of the finished crop, pixels. */
  readonly sizePx: number;
  /** Added around the box, as a share of its longer side: 0.4 makes a crop 1.4 times the box. */
  readonly marginRatio: number;
  /**
   * How far the head leans, degrees, above 0 clockwise as the picture shows it (`rollDegrees` of crops/head-pose.ts): the
   * crop shows it upright. Default 0.
   */
  readonly rollDegrees?: number;
}

/** The square that a crop of `box` shows: its longer side plus the margin, around its centre. */
export function cropRegion(box: Box, marginRatio: number): Region {
  const side = Math.max(box.width, box.height) * (1 + marginRatio);
  return {
    x: box.x + (box.width - side) / 2,
    y: box.y + (box.height - side) / 2,
    width: side,
    height: side,
  };
}

/**
 * Cuts the square around `box` (pixels of `source`, origin top left) and brings it to `sizePx` × `sizePx`:
 * rgb24, interleaved, 0…255, `sizePx² · 3` bytes of `target` from `targetOffset`. Area average when it
 * shrinks, bilinear when it grows; a head that leans is turned upright about the middle of the box, bilinear.
 * Training and the running service both cut with this function.
 *
 * Where the square leaves the picture, the picture's edge is repeated: a black bar would put a hard edge next to
 * the face that looks like a dark mask, and `nearest` is the fill of the paper's augmentation.
 *
 * Allocates nothing once warm. `source` is only read; `target` stays the caller's.
 * Throws `AppError` PIXELS_BAD_INPUT when `box` has no area or the bytes do not fit.
 */
export function extractCrop(
  source: RgbSource,
  box: Box,
  { sizePx, marginRatio, rollDegrees = 0 }: CropGeometry,
  target: Uint8Array,
  targetOffset = 0,
): void {
  if (rollDegrees === 0) {
    cutSquare(source, box, marginRatio, { data: target, offset: targetOffset, sidePx: sizePx });
    return;
  }
  const cropBytes = sizePx ** 2 * 3;
  const crop = target.subarray(targetOffset, targetOffset + cropBytes);
  if (targetOffset < 0 || crop.length < cropBytes)
    throw new AppError(
      'PIXELS_BAD_INPUT',
      `A crop of ${sizePx}×${sizePx} pixels from byte ${targetOffset} does not fit into ${target.length} bytes.`,
    );
  const radians = (rollDegrees * Math.PI) / 180;
  const sidePx = Math.ceil(sizePx * (Math.abs(Math.cos(radians)) + Math.abs(Math.sin(radians))));
  if (leaning.length < sidePx ** 2 * 3) leaning = new Uint8Array(sidePx ** 2 * 3);
  // As much larger as the turn needs, at the scale of the crop.
  const widerRatio = ((1 + marginRatio) * sidePx) / sizePx - 1;
  cutSquare(source, box, widerRatio, { data: leaning, offset: 0, sidePx });
  turnSquare({ data: leaning, sidePx }, -rollDegrees, { data: crop, sidePx: sizePx });
}

/** Scratch of this thread: the square before it is turned. Grown, never shrunk. */
let leaning = new Uint8Array(0);

function cutSquare(
  source: RgbSource,
  box: Box,
  marginRatio: number,
  { data, offset, sidePx }: { data: Uint8Array; offset: number; sidePx: number },
): void {
  resample(source, cropRegion(box, marginRatio), {
    ...{ data, offset, strideBytes: sidePx * 3 },
    ...{ width: sidePx, height: sidePx },
  });
}
