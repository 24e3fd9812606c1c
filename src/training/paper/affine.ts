import type { Random } from '../../lib/random.js';

/** How one picture is changed, in the terms of Keras's ImageDataGenerator. */
export interface WarpParameters {
  /** Clockwise as seen (Keras turns the axes row, column). */
  readonly rotationDegrees: number;
  /** Where the window moves, pixels: down and to the right, so the content moves up and to the left. */
  readonly rowShiftPx: number;
  readonly columnShiftPx: number;
  readonly shearDegrees: number;
  /** Share of the height and of the width that stays in view: below 1 things grow. */
  readonly rowZoom: number;
  readonly columnZoom: number;
  /** Mirrored left to right after all that. */
  readonly isMirrored: boolean;
}

export interface WarpRanges {
  /** Drawn from −x … x. */
  readonly rotationDegrees: number;
  /** Each axis for itself. */
  readonly zoom: readonly [low: number, high: number];
  /** Shares of height and width, from −x … x. */
  readonly rowShift: number;
  readonly columnShift: number;
  readonly shearDegrees: number;
  readonly flipChance: number;
}

/** Row and column in the source of the pixel (r, c): (a·r + b·c + e, d·r + f·c + g), as [a, b, e, d, f, g]. */
export type Affine = readonly [number, number, number, number, number, number];

/** One draw for a picture of this size. */
export function drawWarp(
  ranges: WarpRanges,
  heightPx: number,
  widthPx: number,
  random: Random,
): WarpParameters {
  const around = (reach: number) => random.between(-reach, reach);
  return {
    rotationDegrees: around(ranges.rotationDegrees),
    rowShiftPx: around(ranges.rowShift) * heightPx,
    columnShiftPx: around(ranges.columnShift) * widthPx,
    shearDegrees: around(ranges.shearDegrees),
    rowZoom: random.between(...ranges.zoom),
    columnZoom: random.between(...ranges.zoom),
    isMirrored: random.chance(ranges.flipChance),
  };
}

/**
 * The one matrix that Keras makes of rotation, shift, shear and zoom, in this order (apply_affine_transform of
 * keras.preprocessing.image), about the centre between the middle pixels. It maps places of the changed picture to
 * places of the given one.
 */
export function warpMatrix(parameters: WarpParameters, heightPx: number, widthPx: number): Affine {
  const turn = (parameters.rotationDegrees * Math.PI) / 180;
  const shear = (parameters.shearDegrees * Math.PI) / 180;
  const rotation: Affine = [Math.cos(turn), -Math.sin(turn), 0, Math.sin(turn), Math.cos(turn), 0];
  const shift: Affine = [1, 0, parameters.rowShiftPx, 0, 1, parameters.columnShiftPx];
  const shearing: Affine = [1, -Math.sin(shear), 0, 0, Math.cos(shear), 0];
  const zoom: Affine = [parameters.rowZoom, 0, 0, 0, parameters.columnZoom, 0];
  const row = (heightPx - 1) / 2;
  const column = (widthPx - 1) / 2;
  const centred = [rotation, shift, shearing, zoom, [1, 0, -row, 0, 1, -column] as Affine];
  return centred.reduce<Affine>(times, [1, 0, row, 0, 1, column]);
}

function times(p: Affine, q: Affine): Affine {
  return [
    p[0] * q[0] + p[1] * q[3],
    p[0] * q[1] + p[1] * q[4],
    p[0] * q[2] + p[1] * q[5] + p[2],
    p[3] * q[0] + p[4] * q[3],
    p[3] * q[1] + p[4] * q[4],
    p[3] * q[2] + p[4] * q[5] + p[5],
  ];
}

export interface RgbPixels {
  /** rgb24, interleaved, rows without padding. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Draws `source` through a matrix into `target` (rgb24, same size): bilinear, places outside take the nearest pixel
 * of the edge, as scipy.ndimage.affine_transform with order 1 and mode `nearest`. `source` is only read and must
 * not be `target`.
 */
export function warpRgb(source: RgbPixels, matrix: Affine, isMirrored: boolean, target: Uint8Array): void {
  const { data, width, height } = source;
  const [rowByRow, rowByColumn, rowStart, columnByRow, columnByColumn, columnStart] = matrix;
  const lastRow = height - 1;
  const lastColumn = width - 1;
  for (let r = 0; r < height; r++)
    for (let c = 0; c < width; c++) {
      const row = Math.min(Math.max(rowByRow * r + rowByColumn * c + rowStart, 0), lastRow);
      const column = Math.min(Math.max(columnByRow * r + columnByColumn * c + columnStart, 0), lastColumn);
      const top = Math.floor(row);
      const left = Math.floor(column);
      const down = row - top;
      const across = column - left;
      const a = (top * width + left) * 3;
      const b = left < lastColumn ? a + 3 : a;
      const below = top < lastRow ? width * 3 : 0;
      const out = (r * width + (isMirrored ? lastColumn - c : c)) * 3;
      for (let k = 0; k < 3; k++) {
        const upper = data[a + k]! + (data[b + k]! - data[a + k]!) * across;
        const lower = data[a + below + k]! + (data[b + below + k]! - data[a + below + k]!) * across;
        target[out + k] = upper + (lower - upper) * down + 0.5;
      }
    }
}
