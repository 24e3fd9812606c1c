import type { Box } from '../../src/domain/box.js';
import type { FaceDetection } from '../../src/domain/face.js';

/** The corridor clip repeats a walk of so many frames. */
export const WALK_FRAMES = 111;

type Point = { readonly x: number; readonly y: number };

/**
 * Middles of the two walkers' faces, marked by eye in the clip (1280×720), to tell true faces from what a detector
 * takes for one (the pattern of the man's shirt).
 */
const MARKS: readonly { readonly frame: number; readonly woman: Point; readonly man: Point }[] = [
  { frame: 0, woman: { x: 533, y: 240 }, man: { x: 771, y: 177 } },
  { frame: 20, woman: { x: 470, y: 246 }, man: { x: 733, y: 167 } },
  { frame: 50, woman: { x: 369, y: 246 }, man: { x: 666, y: 158 } },
  { frame: 80, woman: { x: 278, y: 248 }, man: { x: 659, y: 151 } },
  { frame: 105, woman: { x: 185, y: 265 }, man: { x: 649, y: 150 } },
  { frame: 111, woman: { x: 170, y: 270 }, man: { x: 655, y: 145 } },
];

export const WALKERS = ['woman', 'man'] as const;
export type Walker = (typeof WALKERS)[number];

/** Where a walker's face is in a frame of the clip, to about a quarter of a face. */
export function markedFace(walker: Walker, clipFrame: number): Point {
  const frame = clipFrame % WALK_FRAMES;
  const after = MARKS.findIndex((mark) => mark.frame > frame);
  const [a, b] = [MARKS[after - 1]!, MARKS[after]!];
  const share = (frame - a.frame) / (b.frame - a.frame);
  return {
    x: a[walker].x + share * (b[walker].x - a[walker].x),
    y: a[walker].y + share * (b[walker].y - a[walker].y),
  };
}

/** Middle of a box. */
export const centre = ({ x, y, width, height }: Box): Point => ({ x: x + width / 2, y: y + height / 2 });

/** Distance of a box's middle from a point, pixels. */
export function distanceFrom(point: Point, box: Box): number {
  const middle = centre(box);
  return Math.hypot(middle.x - point.x, middle.y - point.y);
}

/** The thing whose box is nearest to `point`, if it is nearer than `withinPx`. */
export function nearest<T extends { readonly box: Box }>(
  point: Point,
  things: readonly T[],
  withinPx: number,
): T | null {
  const sorted = [...things].sort((a, b) => distanceFrom(point, a.box) - distanceFrom(point, b.box));
  const [best] = sorted;
  return best && distanceFrom(point, best.box) < withinPx ? best : null;
}

/** A walker's face among those found in a frame of the clip. */
export function trueFace(
  walker: Walker,
  clipFrame: number,
  faces: readonly FaceDetection[],
): FaceDetection | null {
  return nearest(markedFace(walker, clipFrame), faces, 30);
}

/** The value that `share` of the values are at or below; 0 for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
