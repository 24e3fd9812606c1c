import { GRID_CELLS, GRID_COLUMNS, GRID_ROWS, type PictureStatistics } from '../domain/picture.js';

/** Blocks of 8 × 6 cells: 8 across and 6 down. */
const BLOCK_COLUMNS = 8;
const BLOCK_ROWS = 6;
const BLOCK_CELLS = BLOCK_COLUMNS * BLOCK_ROWS;
/** A block says something about the place if its lumas differ so much (standard deviation). */
const STRUCTURED_DEVIATION = 6;
/** Blocks correlated above this show the same thing. */
const SAME_BLOCK = 0.7;
/** With fewer structured blocks (a white wall) nothing can be said of the place. */
const MIN_BLOCKS = 8;
/** With fewer cells with edges nothing can be said of them. */
const MIN_EDGE_SHARE = 0.01;
/** Contrast below which sharpness would be divided by next to nothing. */
const LEAST_VARIANCE = 50;

/** How fast what a model holds follows what it sees, in levels, or in shares of itself, per second. */
const YOUNG_MS = 10_000;
const LUMA_RATE = { young: 12, old: 1 };
const FIGURE_RATE = { young: 0.3, old: 0.001 };

export interface SceneLikeness {
  /** Share of the model's structured blocks that show the same now, 0–1; `null`: it has too few to tell. */
  readonly match: number | null;
  /** Share by which cells with edges, wherever they are, have become fewer; `null`: the model has too few to tell. */
  readonly lostEdges: number | null;
  /** Sharpness now over the model's; below 1 is less sharp. */
  readonly sharpness: number;
}

/**
 * What a camera usually sees: the luma of each cell and some figures, as running medians. They move by a fixed
 * step towards each picture (McFarlane and Schofield, "Segmentation and tracking of piglets in images", 1995), so that
 * somebody who walks through, or one broken picture, weighs no more than noise does.
 */
export class SceneModel {
  readonly #luma: Float32Array;
  #edgeShare: number;
  #focus: Focus;
  #smearShare: number;
  #greyShare: number;
  #castShare: number;
  #ageMs = 0;

  constructor(first: PictureStatistics) {
    this.#luma = Float32Array.from(first.luma);
    this.#edgeShare = first.edgeShare;
    this.#focus = focusOf(first);
    this.#smearShare = first.smearShare;
    this.#greyShare = first.greyShare;
    this.#castShare = first.castShare;
  }

  /** Time for which it has learnt, ms. */
  get ageMs(): number {
    return this.#ageMs;
  }

  get smearShare(): number {
    return this.#smearShare;
  }

  get greyShare(): number {
    return this.#greyShare;
  }

  get castShare(): number {
    return this.#castShare;
  }

  /** `elapsedMs`: time that the picture stands for. */
  learn(picture: PictureStatistics, elapsedMs: number): void {
    const seconds = elapsedMs / 1000;
    const step = (rate: { young: number; old: number }) =>
      seconds * (this.#ageMs < YOUNG_MS ? rate.young : rate.old);
    const lumaStep = step(LUMA_RATE);
    for (let cell = 0; cell < GRID_CELLS; cell++)
      this.#luma[cell] = towards(this.#luma[cell]!, picture.luma[cell]!, lumaStep);
    const share = step(FIGURE_RATE);
    const follow = (own: number, seen: number) => towards(own, seen, own * share);
    const focus = focusOf(picture);
    this.#focus = {
      detail: follow(this.#focus.detail, focus.detail),
      edges: follow(this.#focus.edges, focus.edges),
    };
    this.#edgeShare = follow(this.#edgeShare, picture.edgeShare);
    this.#smearShare = towards(this.#smearShare, picture.smearShare, share);
    this.#greyShare = towards(this.#greyShare, picture.greyShare, share);
    this.#castShare = towards(this.#castShare, picture.castShare, share);
    this.#ageMs += elapsedMs;
  }

  compare(picture: PictureStatistics): SceneLikeness {
    const focus = focusOf(picture);
    const detail = focus.detail / Math.max(1e-6, this.#focus.detail);
    const edges = focus.edges / Math.max(1e-6, this.#focus.edges);
    return {
      match: this.#match(picture.luma),
      lostEdges:
        this.#edgeShare < MIN_EDGE_SHARE ? null : Math.max(0, 1 - picture.edgeShare / this.#edgeShare),
      // Noise adds to the one, and little to the other, which does not see a slight blur: the worse counts.
      sharpness: Math.min(detail, edges * edges),
    };
  }

  /**
   * Zero-mean normalised cross-correlation block by block (Gonzalez and Woods, "Digital image processing", template
   * matching): it sees neither a change of brightness nor one of contrast, and a lamp or a person changes some blocks only.
   */
  #match(luma: Uint8Array): number | null {
    let structured = 0;
    let same = 0;
    for (let top = 0; top < GRID_ROWS; top += BLOCK_ROWS) {
      for (let left = 0; left < GRID_COLUMNS; left += BLOCK_COLUMNS) {
        const correlation = this.#correlate(luma, top * GRID_COLUMNS + left);
        if (correlation === null) continue;
        structured++;
        if (correlation >= SAME_BLOCK) same++;
      }
    }
    return structured < MIN_BLOCKS ? null : same / structured;
  }

  #correlate(luma: Uint8Array, from: number): number | null {
    let sum = 0;
    let squares = 0;
    let modelSum = 0;
    let modelSquares = 0;
    let products = 0;
    for (let row = 0; row < BLOCK_ROWS; row++) {
      for (let column = 0; column < BLOCK_COLUMNS; column++) {
        const cell = from + row * GRID_COLUMNS + column;
        const value = luma[cell]!;
        const model = this.#luma[cell]!;
        sum += value;
        squares += value * value;
        modelSum += model;
        modelSquares += model * model;
        products += value * model;
      }
    }
    const modelVariance = modelSquares / BLOCK_CELLS - (modelSum / BLOCK_CELLS) ** 2;
    if (modelVariance < STRUCTURED_DEVIATION ** 2) return null;
    const variance = squares / BLOCK_CELLS - (sum / BLOCK_CELLS) ** 2;
    // Rounding alone makes a variance of up to 1/12 per cell.
    if (variance < 0.25) return 0;
    const covariance = products / BLOCK_CELLS - (sum / BLOCK_CELLS) * (modelSum / BLOCK_CELLS);
    return covariance / Math.sqrt(variance * modelVariance);
  }
}

/** Both over what there is to see, so that half the light or a hazy day does not look like half the sharpness. */
interface Focus {
  /** Variance of the Laplacian (Pech-Pacheco and others, "Diatom autofocusing in brightfield microscopy", ICPR 2000). */
  readonly detail: number;
  /** Strength of the strongest edges. */
  readonly edges: number;
}

function focusOf({ laplacianVariance, edgeContrast, gridVariance }: PictureStatistics): Focus {
  const variance = gridVariance + LEAST_VARIANCE;
  return { detail: laplacianVariance / variance, edges: edgeContrast / Math.sqrt(variance) };
}

function towards(from: number, to: number, step: number): number {
  return from < to ? Math.min(to, from + step) : Math.max(to, from - step);
}
