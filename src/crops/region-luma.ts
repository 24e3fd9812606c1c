import type { Box } from '../domain/box.js';
import { type RgbSource, resample } from '../lib/resample.js';

const SIDE = 32;
const pixels = new Uint8Array(SIDE * SIDE * 3);

/** Luminance (ITU-R BT.601) of a part of a picture, 0…255. */
export interface RegionLuma {
  readonly mean: number;
  /** Standard deviation: little where everything is equally dark, bright, or veiled. */
  readonly spread: number;
}

/** Measures `box` (pixels of `source`), brought to 32 × 32 pixels. Throws `AppError` PIXELS_BAD_INPUT when it has no area. */
export function regionLuma(source: RgbSource, box: Box): RegionLuma {
  resample(source, box, { data: pixels, offset: 0, width: SIDE, height: SIDE, strideBytes: SIDE * 3 });
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < pixels.length; at += 3) {
    const luma = 0.299 * pixels[at]! + 0.587 * pixels[at + 1]! + 0.114 * pixels[at + 2]!;
    sum += luma;
    squares += luma * luma;
  }
  const count = SIDE * SIDE;
  const mean = sum / count;
  return { mean, spread: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}
