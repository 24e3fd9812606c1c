import { GRID_CELLS, GRID_COLUMNS, GRID_ROWS, type PictureStatistics } from '../domain/picture.js';
import type { RgbSource } from '../lib/resample.js';

/** Samples across and down; every n-th pixel is taken so that there are about as many. */
const SAMPLE_COLUMNS = 128;
const SAMPLE_ROWS = 72;
/** From here on a sensor has nothing more to tell; 235 (the top of video range) becomes 255 in RGB. */
const CLIPPED_LUMA = 245;
/** A horizontal difference that is an edge, pixel values over two pixels. */
const EDGE_STEP = 12;
/** Chroma of a strong colour, |Cb| + |Cr| from neutral; skin and wood stay below 60. */
const STRONG_CHROMA = 70;
/** Two hues are the same when the cosine between them is above this. */
const SAME_HUE = 0.9;
/** A cell's strength above the median cell that is an edge, and how many are the strongest 2 %. */
const EDGE_STRENGTH = 10;
const STRONG_CELLS = Math.round(GRID_CELLS / 50);
/** Cb and Cr by BT.601 for a difference from luma. */
const CB = 0.564;
const CR = 0.713;
/** Mean edge of a cell that has no detail whatever, pixel values; a wall has its grain. */
const FLAT_EDGE = 0.5;

/**
 * Takes the statistics of pictures; owns the tables and sums, so that a picture costs no allocation but its result.
 * The only per-pixel work of picture health: it runs in the inference worker, beside the detection.
 */
export class PictureSampler {
  readonly #histogram = new Uint32Array(256);
  readonly #counts = new Uint32Array(GRID_CELLS);
  readonly #red = new Uint32Array(GRID_CELLS);
  readonly #green = new Uint32Array(GRID_CELLS);
  readonly #blue = new Uint32Array(GRID_CELLS);
  readonly #edgeSums = new Uint32Array(GRID_CELLS);
  readonly #edges = new Uint8Array(GRID_CELLS);
  #columnOf = new Uint8Array(0);

  /** `picture`: rgb24; only its content is read. One that is smaller than 3 × 3 pixels has no statistics: `null`. */
  measure(picture: RgbSource): PictureStatistics | null {
    const width = picture.contentWidth ?? picture.width;
    const height = picture.contentHeight ?? picture.height;
    if (width < 3 || height < 3) return null;
    const points = new Uint8Array(GRID_CELLS);
    const { samples, ...sums } = this.#sample(picture.data, picture.width * 3, width, height, points);
    return { points, ...sums, ...this.#levels(samples), ...this.#grids(points) };
  }

  #sample(data: Uint8Array, stride: number, width: number, height: number, points: Uint8Array) {
    const stepX = Math.max(1, Math.floor(width / SAMPLE_COLUMNS));
    const stepY = Math.max(1, Math.floor(height / SAMPLE_ROWS));
    for (const sums of [this.#histogram, this.#counts, this.#red, this.#green, this.#blue, this.#edgeSums])
      sums.fill(0);
    if (this.#columnOf.length !== width)
      this.#columnOf = Uint8Array.from({ length: width }, (_, x) => Math.floor((x * GRID_COLUMNS) / width));
    // Fields that are private cost a look-up each time: 9000 samples are taken.
    const columnOf = this.#columnOf;
    const histogram = this.#histogram;
    const counts = this.#counts;
    const reds = this.#red;
    const greens = this.#green;
    const blues = this.#blue;
    const edgeSums = this.#edgeSums;
    let samples = 0;
    let upright = 0;
    let smeared = 0;
    let lapSum = 0;
    let lapSquares = 0;
    for (let y = 1; y < height - 1; y += stepY) {
      const rowCell = Math.floor((y * GRID_ROWS) / height) * GRID_COLUMNS;
      for (let x = 1; x < width - 1; x += stepX) {
        const at = y * stride + x * 3;
        const red = data[at]!;
        const green = data[at + 1]!;
        const blue = data[at + 2]!;
        const left = data[at - 2]!;
        const right = data[at + 4]!;
        const up = data[at + 1 - stride]!;
        const down = data[at + 1 + stride]!;
        histogram[(77 * red + 150 * green + 29 * blue) >> 8]!++;
        const laplacian = 4 * green - left - right - up - down;
        lapSum += laplacian;
        lapSquares += laplacian * laplacian;
        const across = Math.abs(right - left);
        if (across >= EDGE_STEP) {
          upright++;
          if (up === green && down === green) smeared++;
        }
        const cell = rowCell + columnOf[x]!;
        counts[cell]!++;
        reds[cell]! += red;
        greens[cell]! += green;
        blues[cell]! += blue;
        edgeSums[cell]! += across + Math.abs(down - up);
        points[cell] = green;
        samples++;
      }
    }
    const mean = lapSum / samples;
    return {
      samples,
      // A handful of edges says nothing.
      smearShare: smeared / Math.max(upright, samples / 50),
      laplacianVariance: lapSquares / samples - mean * mean,
    };
  }
  /** What the histogram of luma tells. */
  #levels(samples: number) {
    let sum = 0;
    let clipped = 0;
    let above = 0;
    let highLuma = -1;
    for (let luma = 255; luma >= 0; luma--) {
      const count = this.#histogram[luma]!;
      sum += luma * count;
      above += count;
      if (luma >= CLIPPED_LUMA) clipped += count;
      if (highLuma < 0 && above >= samples / 100) highLuma = luma;
    }
    return { meanLuma: sum / samples, highLuma, clippedShare: clipped / samples };
  }

  /** Means of the cells, and how many of them look like nothing that a camera sends. */
  #grids(points: Uint8Array) {
    const counts = this.#counts;
    const reds = this.#red;
    const greens = this.#green;
    const blues = this.#blue;
    const edgeSums = this.#edgeSums;
    const luma = new Uint8Array(GRID_CELLS);
    const edges = this.#edges.fill(0);
    let lumaSum = 0;
    let lumaSquares = 0;
    let blueSum = 0;
    let redSum = 0;
    let greenCells = 0;
    let greyCells = 0;
    // A picture of fewer pixels than the grid has cells: what was not sampled is as the cell before it.
    const first = counts.findIndex((count) => count > 0);
    for (const sums of [counts, reds, greens, blues, edgeSums]) sums[0] = sums[first]!;
    for (let cell = 0; cell < GRID_CELLS; cell++) {
      const count = counts[cell]!;
      if (count > 0) {
        const red = reds[cell]! / count;
        const green = greens[cell]! / count;
        const blue = blues[cell]! / count;
        const edge = edgeSums[cell]! / count;
        const mean = (77 * red + 150 * green + 29 * blue) / 256;
        luma[cell] = mean + 0.5;
        edges[cell] = edge > 255 ? 255 : edge + 0.5;
        blueSum += blue - mean;
        redSum += red - mean;
        if (edge <= FLAT_EDGE) {
          if (isEmptyGreen(red, green, blue)) greenCells++;
          else if (isEmptyGrey(red, green, blue)) greyCells++;
        }
      } else {
        luma[cell] = luma[cell - 1]!;
        edges[cell] = edges[cell - 1]!;
        points[cell] = points[cell - 1]!;
      }
      lumaSum += luma[cell]!;
      lumaSquares += luma[cell]! * luma[cell]!;
    }
    const mean = lumaSum / GRID_CELLS;
    return {
      ...{ luma, greenShare: greenCells / GRID_CELLS, greyShare: greyCells / GRID_CELLS },
      castShare: this.#castShare((CB * blueSum) / GRID_CELLS, (CR * redSum) / GRID_CELLS),
      ...this.#edgeFigures(),
      gridVariance: lumaSquares / GRID_CELLS - mean * mean,
    };
  }

  /** From the strengths of all cells; the histogram of luma is done with and lends its place. */
  #edgeFigures() {
    const histogram = this.#histogram.fill(0);
    for (const edge of this.#edges) histogram[edge]!++;
    let below = 0;
    let median = 0;
    for (; below + histogram[median]! <= GRID_CELLS / 2; median++) below += histogram[median]!;
    let edgeCells = 0;
    let strong = 0;
    let strongSum = 0;
    for (let strength = 255; strength > median; strength--) {
      const count = histogram[strength]!;
      if (strength >= median + EDGE_STRENGTH) edgeCells += count;
      const taken = Math.min(count, STRONG_CELLS - strong);
      strong += taken;
      strongSum += taken * (strength - median);
    }
    return { edgeShare: edgeCells / GRID_CELLS, edgeContrast: strongSum / STRONG_CELLS };
  }

  /** Share of cells with strong chroma of the picture's own mean hue `meanCb`, `meanCr`. */
  #castShare(meanCb: number, meanCr: number): number {
    const length = Math.hypot(meanCb, meanCr);
    // Without it no share that matters can be of one hue: nearly every picture ends here.
    if (length < STRONG_CHROMA / 4) return 0;
    let cast = 0;
    for (let cell = 0; cell < GRID_CELLS; cell++) {
      const count = this.#counts[cell]!;
      if (count === 0) continue;
      const red = this.#red[cell]! / count;
      const blue = this.#blue[cell]! / count;
      const luma = (77 * red + (150 * this.#green[cell]!) / count + 29 * blue) / 256;
      const cb = CB * (blue - luma);
      const cr = CR * (red - luma);
      if (Math.abs(cb) + Math.abs(cr) < STRONG_CHROMA) continue;
      if ((cb * meanCb + cr * meanCr) / (Math.hypot(cb, cr) * length) >= SAME_HUE) cast++;
    }
    return cast / GRID_CELLS;
  }
}

/** What an empty YUV 4:2:0 buffer (all 0) becomes in RGB: (0, 135, 0) by BT.601, (0, 77, 0) by BT.709. */
function isEmptyGreen(red: number, green: number, blue: number): boolean {
  return red < 16 && blue < 16 && green >= 60 && green <= 150;
}

/** What a decoder begins a picture with whose reference is lost: Y, U and V 128, which is 128 or 130 in RGB. */
function isEmptyGrey(red: number, green: number, blue: number): boolean {
  return Math.max(Math.abs(red - 129), Math.abs(green - 129), Math.abs(blue - 129)) <= 2.5;
}
