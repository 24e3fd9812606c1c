import type { Box } from '../../domain/box.js';
import type { FaceDetection } from '../../domain/face.js';
import { resample } from '../../lib/resample.js';
import { blankPicture, type RgbPicture } from './rgb-picture.js';

/** Finds faces as the running service does. Boxes in pixels of the picture. */
export interface FaceFinder {
  /** Name and settings: part of the key under which results are cached. */
  readonly id: string;
  find(picture: RgbPicture): Promise<FaceDetection[]>;
  close(): Promise<void>;
}

/** Share of the canvas that a portrait takes; tight crops need room around them to be found. */
const PORTRAIT_SHARE = 0.55;
const CANVAS_PX = 480;

/**
 * The face of a picture that shows one person: the biggest found, with room added around the picture first
 * since a detector does not find a face that fills everything. `null` when there is none.
 */
export async function findPortraitFace(
  picture: RgbPicture,
  finder: FaceFinder,
): Promise<FaceDetection | null> {
  const scale = (CANVAS_PX * PORTRAIT_SHARE) / Math.max(picture.width, picture.height);
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const left = Math.round((CANVAS_PX - width) / 2);
  const top = Math.round((CANVAS_PX - height) / 2);
  const canvas = blankPicture(CANVAS_PX, CANVAS_PX);
  canvas.data.fill(128);
  resample(
    picture,
    { x: 0, y: 0, width: picture.width, height: picture.height },
    { data: canvas.data, offset: (top * CANVAS_PX + left) * 3, width, height, strideBytes: CANVAS_PX * 3 },
  );
  const faces = await finder.find(canvas);
  const toPicture = (x: number, y: number) => ({
    x: ((x - left) * picture.width) / width,
    y: ((y - top) * picture.height) / height,
  });
  const biggest = faces.reduce<FaceDetection | null>(
    (best, face) => (best === null || area(face.box) > area(best.box) ? face : best),
    null,
  );
  if (!biggest) return null;
  const { box, landmarks } = biggest;
  const corner = toPicture(box.x, box.y);
  const [a, b, c, d, e] = landmarks.map(({ x, y }) => toPicture(x, y));
  return {
    ...biggest,
    box: {
      ...corner,
      width: (box.width * picture.width) / width,
      height: (box.height * picture.height) / height,
    },
    landmarks: [a!, b!, c!, d!, e!],
  };
}

function area(box: Box): number {
  return box.width * box.height;
}
