/** Cells of the coarse grid that is laid over the content of an analysed picture. */
export const GRID_COLUMNS = 64;
export const GRID_ROWS = 36;
export const GRID_CELLS = GRID_COLUMNS * GRID_ROWS;

/**
 * A few cheap numbers about one analysed picture, taken from every n-th pixel of its content area (the black beside a
 * picture that is not 16:9 is no part of it). Plain data: it crosses threads. Grids are {@link GRID_CELLS} long, row by row.
 */
export interface PictureStatistics {
  /** Mean luma of each cell, 0–255 (BT.601 weights, as all lumas here). */
  readonly luma: Uint8Array;
  /** Green of one single pixel of each cell, not averaged: it carries the sensor's noise. */
  readonly points: Uint8Array;
  readonly meanLuma: number;
  /** 99th percentile of luma. */
  readonly highLuma: number;
  /** Share of the samples whose luma is clipped or nearly so, 0–1. */
  readonly clippedShare: number;
  /** Variance of the Laplacian (4-neighbours, green), pixel values squared. */
  readonly laplacianVariance: number;
  /**
   * Share of cells with an edge in them that stands out from the noise: strength (|horizontal| + |vertical| central
   * difference, mean of a cell) at least 10 above the median of all cells, 0–1.
   */
  readonly edgeShare: number;
  /** Mean strength of the strongest 2 % of cells above the median of all cells. */
  readonly edgeContrast: number;
  /** Variance of the cells' mean luma: how much there is to see at all. */
  readonly gridVariance: number;
  /** Share of cells that are exactly flat and of the green that an empty YUV buffer turns into. */
  readonly greenShare: number;
  /** Share of cells that are exactly flat and of the mid-grey that decoders begin a lost picture with. */
  readonly greyShare: number;
  /** Share of cells with strong colour of one and the same hue. */
  readonly castShare: number;
  /** Of the samples on a vertical edge, share that equal the pixels above and below them exactly: smeared columns. */
  readonly smearShare: number;
}
