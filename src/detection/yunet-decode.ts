import { type Box, iou } from '../domain/box.js';
import type { Landmarks } from '../domain/face.js';
import { AppError } from '../lib/errors.js';

/**
 * Outputs of one stride for one picture: cells of `stride` pixels, row by row. `cls` and `obj` hold one number in
 * [0, 1] a cell, `bbox` four (centre x and y relative to the cell's corner, log width, log height, in strides),
 * `kps` ten (x and y of five landmarks relative to the cell's corner, in strides).
 */
export interface YunetLevel {
  readonly stride: number;
  readonly cls: Float32Array;
  readonly obj: Float32Array;
  readonly bbox: Float32Array;
  readonly kps: Float32Array;
}

/** A face in pixels of the detector's input. */
export interface DecodedFace {
  readonly box: Box;
  readonly score: number;
  readonly landmarks: Landmarks;
}

export interface YunetDecodeOptions {
  readonly inputWidth: number;
  readonly inputHeight: number;
  /** Faces below it are left out, in [0, 1]. */
  readonly scoreThreshold: number;
  /** Of two boxes that overlap by more than this, the one with the lower score goes. Default 0.45. */
  readonly iouThreshold?: number;
  /** Most faces returned, best first. Default 256. */
  readonly maxFaces?: number;
}

/**
 * Of two boxes of which one is much weaker, that one goes from this overlap on: beside a sure face lie weak boxes on the
 * same face, too far off to be suppressed by the other rule.
 */
const WEAK = { scoreShare: 0.4, iouThreshold: 0.25 } as const;

/** Candidates that go into the suppression at the most: bounds its quadratic cost on a picture of noise. */
const MAX_CANDIDATES = 1000;

/**
 * Faces from the raw outputs of YuNet (W. Wu, H. Peng, S. Yu, "YuNet: A Tiny Millisecond-level Face Detector",
 * Machine Intelligence Research 20, 2023; head of ShiqiYu/libfacedetection.train): score = √(cls · obj), anchor-
 * free boxes, then greedy non-maximum suppression. Best first. Boxes may reach beyond the picture.
 *
 * Throws `AppError` DETECTOR_BAD_OUTPUT when an output has not the size that the input's size asks for.
 */
export function decodeYunet(levels: readonly YunetLevel[], options: YunetDecodeOptions): DecodedFace[] {
  const candidates: DecodedFace[] = [];
  for (const level of levels) decodeLevel(level, options, candidates);
  candidates.sort((a, b) => b.score - a.score);
  if (candidates.length > MAX_CANDIDATES) candidates.length = MAX_CANDIDATES;
  return suppressNonMaxima(candidates, options.iouThreshold ?? 0.45, options.maxFaces ?? 256);
}

/**
 * Greedy non-maximum suppression: keeps each face whose box overlaps no better kept one by more than
 * `iouThreshold`, or by more than 0.25 where its score is less than 0.4 of the better one's. `faces` must come best
 * first; at most `maxFaces` are returned.
 */
export function suppressNonMaxima<Face extends { readonly box: Box; readonly score: number }>(
  faces: readonly Face[],
  iouThreshold: number,
  maxFaces: number,
): Face[] {
  const weakIouThreshold = Math.min(WEAK.iouThreshold, iouThreshold);
  const kept: Face[] = [];
  for (const face of faces) {
    if (kept.length >= maxFaces) break;
    const isApart = kept.every((better) => {
      const isWeak = face.score < WEAK.scoreShare * better.score;
      return iou(better.box, face.box) <= (isWeak ? weakIouThreshold : iouThreshold);
    });
    if (isApart) kept.push(face);
  }
  return kept;
}

function decodeLevel(level: YunetLevel, options: YunetDecodeOptions, faces: DecodedFace[]): void {
  const { stride, cls, obj, bbox, kps } = level;
  const columns = Math.floor(options.inputWidth / stride);
  const cells = columns * Math.floor(options.inputHeight / stride);
  if (
    cls.length !== cells ||
    obj.length !== cells ||
    bbox.length !== 4 * cells ||
    kps.length !== 10 * cells
  ) {
    throw new AppError(
      'DETECTOR_BAD_OUTPUT',
      `stride ${stride}: ${cells} cells expected for ${options.inputWidth}×${options.inputHeight}, got cls ${cls.length}, obj ${obj.length}, bbox ${bbox.length}/4, kps ${kps.length}/10`,
    );
  }
  // Nearly every cell fails here: compare squares and leave the root to the few that pass.
  const leastProduct = options.scoreThreshold * options.scoreThreshold;
  for (let cell = 0; cell < cells; cell++) {
    const product = unit(cls[cell]!) * unit(obj[cell]!);
    if (product < leastProduct || product === 0) continue;
    const column = cell % columns;
    const row = (cell - column) / columns;
    const width = Math.exp(bbox[4 * cell + 2]!) * stride;
    const height = Math.exp(bbox[4 * cell + 3]!) * stride;
    const landmark = (index: number) => ({
      x: (column + kps[10 * cell + 2 * index]!) * stride,
      y: (row + kps[10 * cell + 2 * index + 1]!) * stride,
    });
    const face: DecodedFace = {
      box: {
        x: (column + bbox[4 * cell]!) * stride - width / 2,
        y: (row + bbox[4 * cell + 1]!) * stride - height / 2,
        width,
        height,
      },
      score: Math.sqrt(product),
      landmarks: [landmark(0), landmark(1), landmark(2), landmark(3), landmark(4)],
    };
    if (isFiniteFace(face)) faces.push(face);
  }
}

/** Into [0, 1]; not a number becomes 0. */
function unit(value: number): number {
  return value > 0 ? Math.min(value, 1) : 0;
}

/** A broken model must not put boxes without a place into the tracker. */
function isFiniteFace({ box, landmarks }: DecodedFace): boolean {
  return (
    Number.isFinite(box.x + box.y + box.width + box.height) &&
    landmarks.every((point) => Number.isFinite(point.x + point.y))
  );
}
