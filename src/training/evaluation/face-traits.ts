import { regionLuma } from '../../crops/region-luma.js';
import { faceSharpness } from '../../crops/sharpness.js';
import type { Box } from '../../domain/box.js';
import { resample } from '../../lib/resample.js';
import type { RgbPicture } from '../dataset/rgb-picture.js';

export const MASK_COLOURS = ['white', 'blue', 'black', 'other'] as const;
export type MaskColour = (typeof MASK_COLOURS)[number];

/** What can be measured of a face in its picture, whatever a model says of it. */
export interface FaceTraits {
  /** Mean luminance (ITU-R BT.601) of the box, 0…255. */
  readonly brightness: number;
  /** Variance of the Laplacian (crops/sharpness.ts). */
  readonly sharpness: number;
  /** Share of the lower face that has the colour of skin, 0…1. */
  readonly skinShare: number;
  /** Prevailing colour of the lower face: that of the mask where one is worn. */
  readonly lowerColour: MaskColour;
}

const SIDE = 32;
/** Where a mask or the mouth is, as shares of the box. Narrower than the box: its corners are background. */
const LOWER_FACE = { left: 0.22, right: 0.78, top: 0.58, bottom: 0.92 } as const;
const pixels = new Uint8Array(SIDE * SIDE * 3);

/** Measures the face in `box` (pixels of `picture`). Throws `AppError` PIXELS_BAD_INPUT when it has no area. */
export function measureTraits(picture: RgbPicture, box: Box): FaceTraits {
  fill(picture, {
    x: box.x + LOWER_FACE.left * box.width,
    y: box.y + LOWER_FACE.top * box.height,
    width: (LOWER_FACE.right - LOWER_FACE.left) * box.width,
    height: (LOWER_FACE.bottom - LOWER_FACE.top) * box.height,
  });
  let skin = 0;
  const votes: Record<MaskColour, number> = { white: 0, blue: 0, black: 0, other: 0 };
  for (let at = 0; at < pixels.length; at += 3) {
    const [r, g, b] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
    if (isSkin(r, g, b)) skin++;
    votes[colourOf(r, g, b)]++;
  }
  const count = SIDE * SIDE;
  return {
    brightness: regionLuma(picture, box).mean,
    sharpness: faceSharpness(picture, box),
    skinShare: skin / count,
    lowerColour: MASK_COLOURS.reduce((best, colour) => (votes[colour] > votes[best] ? colour : best)),
  };
}

/**
 * The colour of one pixel by hue, saturation and value: black below value 0.28; white below saturation 0.22 and
 * from value 0.5 on; blue (surgical blue, cyan and green-blue) from saturation 0.15 on at hues of 165° to 265°;
 * the rest is other. Bounds set by eye on masks of training pictures: in shade a white mask is a dark grey one.
 */
export function colourOf(r: number, g: number, b: number): MaskColour {
  const highest = Math.max(r, g, b);
  const range = highest - Math.min(r, g, b);
  const value = highest / 255;
  const saturation = highest === 0 ? 0 : range / highest;
  if (value < 0.28) return 'black';
  if (saturation >= 0.15) {
    const hue = hueOf(r, g, b, highest, range);
    if (hue >= 165 && hue <= 265) return 'blue';
  }
  return saturation < 0.22 && value >= 0.5 ? 'white' : 'other';
}

/** Skin by chrominance: Cb in [77, 127] and Cr in [133, 173] (Chai and Ngan, IEEE Trans. CSVT 9 (4), 1999). */
export function isSkin(r: number, g: number, b: number): boolean {
  const cb = 128 - 0.168736 * r - 0.331264 * g + 0.5 * b;
  const cr = 128 + 0.5 * r - 0.418688 * g - 0.081312 * b;
  return cb >= 77 && cb <= 127 && cr >= 133 && cr <= 173;
}

function hueOf(r: number, g: number, b: number, highest: number, range: number): number {
  if (range === 0) return 0;
  if (highest === r) return (60 * ((g - b) / range) + 360) % 360;
  return highest === g ? 60 * ((b - r) / range) + 120 : 60 * ((r - g) / range) + 240;
}

function fill(picture: RgbPicture, region: Box): void {
  resample(picture, region, { data: pixels, offset: 0, width: SIDE, height: SIDE, strideBytes: SIDE * 3 });
}
