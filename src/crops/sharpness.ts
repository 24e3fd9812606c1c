import type { Box } from '../domain/box.js';
import { type RgbSource, resample } from '../lib/resample.js';
import { cropRegion } from './extract.js';

/**
 * Side to which a face is brought before it is measured. Small enough that most faces shrink, so that the
 * number speaks of the face's structure and not of the camera's noise or of the face's size.
 */
export const SHARPNESS_SIDE_PX = 32;

const side = SHARPNESS_SIDE_PX;
const crop = new Uint8Array(side * side * 3);
const luminance = new Float32Array(side * side);

/**
 * Sharpness of the face in `box` (pixels of `source`): the variance of the Laplacian of its luminance
 * (J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR
 * 2000), kernel 0 1 0 / 1 −4 1 / 0 1 0, luminance 0…255 by ITU-R BT.601, on the face brought to
 * {@link SHARPNESS_SIDE_PX} squared. 0 for a flat picture; higher is sharper. A face smaller than that side is
 * enlarged first and so measures lower: it does hold less detail.
 *
 * Throws `AppError` PIXELS_BAD_INPUT when `box` has no area.
 */
export function faceSharpness(source: RgbSource, box: Box): number {
  resample(source, cropRegion(box, 0), {
    data: crop,
    offset: 0,
    width: side,
    height: side,
    strideBytes: side * 3,
  });
  for (let i = 0, at = 0; i < luminance.length; i++, at += 3) {
    luminance[i] = 0.299 * crop[at]! + 0.587 * crop[at + 1]! + 0.114 * crop[at + 2]!;
  }
  let sum = 0;
  let sumOfSquares = 0;
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const at = y * side + x;
      const value =
        luminance[at - side]! +
        luminance[at + side]! +
        luminance[at - 1]! +
        luminance[at + 1]! -
        4 * luminance[at]!;
      sum += value;
      sumOfSquares += value * value;
    }
  }
  const count = (side - 2) * (side - 2);
  const mean = sum / count;
  return Math.max(0, sumOfSquares / count - mean * mean);
}
