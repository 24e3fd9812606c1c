import type { Point } from '../../../../src/domain/box.js';
import type { Landmarks } from '../../../../src/domain/face.js';
import type { MaskLabel } from '../../../../src/domain/label.js';
import { blankPicture, type RgbPicture } from '../../../../src/training/dataset/rgb-picture.js';
import type { TargetFace } from '../../../../src/training/detector/face-targets.js';

export type Colour = readonly [red: number, green: number, blue: number];

/** What a face of the tests looks like: skin, and a patch of one colour at each landmark. */
export const SKIN: Colour = [200, 160, 120];
export const BACKGROUND: Colour = [30, 40, 50];
/** Right eye, left eye, nose, right and left corner of the mouth. */
export const LANDMARK_COLOURS: readonly Colour[] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 0],
  [0, 255, 255],
];

export function plainPicture(width: number, height: number, colour: Colour = BACKGROUND): RgbPicture {
  const picture = blankPicture(width, height);
  fill(picture, 0, 0, width, height, colour);
  return picture;
}

/** A face of `side` pixels, as the picture shows it: the person's right eye is on the left. */
export function faceAt(
  x: number,
  y: number,
  side: number,
  label: MaskLabel | null = 'without_mask',
): TargetFace {
  const at = (across: number, down: number) => ({ x: x + across * side, y: y + down * side });
  const landmarks: Landmarks = [at(0.3, 0.3), at(0.7, 0.3), at(0.5, 0.5), at(0.3, 0.75), at(0.7, 0.75)];
  return { box: { x, y, width: side, height: side }, landmarks, label, weight: 1 };
}

export function drawFace(picture: RgbPicture, { box, landmarks }: TargetFace): void {
  fill(picture, box.x, box.y, box.width, box.height, SKIN);
  const half = box.width * 0.08;
  landmarks?.forEach(({ x, y }, index) => {
    fill(picture, x - half, y - half, 2 * half, 2 * half, LANDMARK_COLOURS[index]!);
  });
}

function fill(
  picture: RgbPicture,
  x: number,
  y: number,
  width: number,
  height: number,
  colour: Colour,
): void {
  for (let row = Math.max(0, Math.round(y)); row < Math.min(picture.height, y + height); row++)
    for (let column = Math.max(0, Math.round(x)); column < Math.min(picture.width, x + width); column++)
      picture.data.set(colour, (row * picture.width + column) * 3);
}

/** The pixel that holds a point. */
export function colourAt(picture: RgbPicture, { x, y }: Point): number[] {
  const at = (Math.floor(y) * picture.width + Math.floor(x)) * 3;
  return [...picture.data.subarray(at, at + 3)];
}
