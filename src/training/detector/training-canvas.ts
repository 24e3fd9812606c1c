import { flipHorizontally } from '../../crops/mirror.js';
import type { Box, Point } from '../../domain/box.js';
import type { Landmarks } from '../../domain/face.js';
import { resample } from '../../lib/resample.js';
import { blankPicture, type RgbPicture } from '../dataset/rgb-picture.js';
import type { PictureTargets, TargetFace } from './face-targets.js';

/** A picture and what it teaches. */
export interface TeachingPicture {
  readonly picture: RgbPicture;
  readonly targets: PictureTargets;
}

/** Where a picture goes on the canvas: `scale` canvas pixels per picture pixel, its top left corner at `x`, `y`. */
export interface Placement {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** Faces of which less is to be seen than this are neither face nor background. */
const LEAST_VISIBLE = 0.5;
/** Below this visible share nobody can tell where the landmarks are. */
const LANDMARKS_VISIBLE = 0.85;

/** A square input of the detector under construction, and what is to be found on it. */
export class TrainingCanvas {
  readonly sizePx: number;
  /** rgb24; replace it by another of the same size at will. */
  picture: RgbPicture;
  faces: TargetFace[] = [];
  ignored: Box[] = [];
  hardNegatives: Box[] = [];
  readonly #leastFacePx: number;

  /** `leastFacePx`: faces with a shorter side below it are neither face nor background. */
  constructor(sizePx: number, leastFacePx: number) {
    this.sizePx = sizePx;
    this.picture = blankPicture(sizePx, sizePx);
    this.#leastFacePx = leastFacePx;
  }

  /** Draws the part of a picture that falls into `clip` (whole pixels of the canvas) and takes its faces over. */
  place({ picture, targets }: TeachingPicture, { scale, x, y }: Placement, clip: Box): void {
    const left = Math.max(clip.x, Math.round(x));
    const top = Math.max(clip.y, Math.round(y));
    const right = Math.min(clip.x + clip.width, Math.round(x + picture.width * scale));
    const bottom = Math.min(clip.y + clip.height, Math.round(y + picture.height * scale));
    if (right <= left || bottom <= top) return;
    const visible: Box = { x: left, y: top, width: right - left, height: bottom - top };
    resample(
      picture,
      {
        x: (left - x) / scale,
        y: (top - y) / scale,
        width: visible.width / scale,
        height: visible.height / scale,
      },
      {
        data: this.picture.data,
        offset: (top * this.sizePx + left) * 3,
        width: visible.width,
        height: visible.height,
        strideBytes: this.sizePx * 3,
      },
    );
    const onCanvas = (box: Box): Box => ({
      x: box.x * scale + x,
      y: box.y * scale + y,
      width: box.width * scale,
      height: box.height * scale,
    });
    for (const face of targets.faces) this.#addFace(face, onCanvas(face.box), { scale, x, y }, visible);
    for (const [from, to] of [
      [targets.ignored, this.ignored],
      [targets.hardNegatives, this.hardNegatives],
    ] as const)
      for (const box of from) {
        const part = intersection(onCanvas(box), visible);
        if (part) to.push(part);
      }
  }

  #addFace(face: TargetFace, box: Box, { scale, x, y }: Placement, visible: Box): void {
    const part = intersection(box, visible);
    if (!part) return;
    const share = (part.width * part.height) / (box.width * box.height);
    if (share < LEAST_VISIBLE || Math.min(part.width, part.height) < this.#leastFacePx) {
      this.ignored.push(part);
      return;
    }
    const landmarks =
      face.landmarks && share >= LANDMARKS_VISIBLE
        ? mapLandmarks(face.landmarks, (p) => ({ x: p.x * scale + x, y: p.y * scale + y }))
        : null;
    this.faces.push({ ...face, box: part, landmarks });
  }

  /** Mirrors everything; right and left landmarks change places. */
  flip(): void {
    const { sizePx } = this;
    flipHorizontally(this.picture.data, sizePx, sizePx);
    const mirrored = (box: Box): Box => ({ ...box, x: sizePx - box.x - box.width });
    this.faces = this.faces.map((face) => ({
      ...face,
      box: mirrored(face.box),
      landmarks: face.landmarks && mirrorLandmarks(face.landmarks, sizePx),
    }));
    this.ignored = this.ignored.map(mirrored);
    this.hardNegatives = this.hardNegatives.map(mirrored);
  }
}

function intersection(a: Box, b: Box): Box | null {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const width = Math.min(a.x + a.width, b.x + b.width) - x;
  const height = Math.min(a.y + a.height, b.y + b.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

function mapLandmarks([a, b, c, d, e]: Landmarks, map: (point: Point) => Point): Landmarks {
  return [map(a), map(b), map(c), map(d), map(e)];
}

function mirrorLandmarks(landmarks: Landmarks, widthPx: number): Landmarks {
  const [rightEye, leftEye, nose, rightMouth, leftMouth] = mapLandmarks(landmarks, ({ x, y }) => ({
    x: widthPx - x,
    y,
  }));
  return [leftEye, rightEye, nose, leftMouth, rightMouth];
}
