import { type Box, boxCentre, iou, type Point } from '../domain/box.js';
import type { FaceDetection } from '../domain/face.js';
import { assign } from './assignment.js';
import type { BoxFilter } from './kalman-filter.js';

/*
 * Which detection belongs to which track.
 *
 * IoU, ByteTrack's cost, is zero for a walking face at five frames a second: it moves by more than its own
 * width between two frames. The cost here is the negative log-likelihood of the detection under the track's
 * prediction, squared Mahalanobis distance plus log determinant (Blackman & Popoli 1999, §6.2; the gate is
 * DeepSORT's, Wojke et al. 2017). It widens with the time since the face was last seen and narrows once its
 * speed is known, so that one rule serves new, steady and hidden faces and every frame rate.
 */

/** χ² with 3 degrees of freedom (x, y, size) at 0.997. */
const GATE = 13.9;
/**
 * Cost of leaving a track without a detection: what remains of the log-likelihood ratio "same face : new
 * face" for about one new face per 300 face sizes² and frame, and nine faces in ten found.
 */
const MISS_COST = 14;
/** The same for half-hidden faces (low scores), which must lie closer to be believed. */
const LOW_SCORE_GATE = 7;
const LOW_SCORE_MISS_COST = 8;
/** Standard deviation of the logarithm of a face's height from frame to frame. */
const LOG_HEIGHT_SIGMA = 0.22;

export interface Associable {
  readonly filter: BoxFilter;
  /** Centre of the last detection, pixels. */
  readonly seenCentre: Point;
  readonly lastSeenMs: number;
  readonly hits: number;
}

export interface Association<T> {
  readonly pairs: readonly (readonly [track: T, detection: FaceDetection])[];
  readonly freeTracks: readonly T[];
  readonly freeDetections: readonly FaceDetection[];
}

/** Pairs tracks, predicted to `monotonicMs`, with detections of that moment, each used once at the most. */
export function associate<T extends Associable>(
  tracks: readonly T[],
  detections: readonly FaceDetection[],
  monotonicMs: number,
  options: { isLowScore?: boolean } = {},
): Association<T> {
  if (tracks.length === 0 || detections.length === 0)
    return { pairs: [], freeTracks: tracks, freeDetections: detections };
  const gate = options.isLowScore ? LOW_SCORE_GATE : GATE;
  const cost = new Float64Array(tracks.length * detections.length);
  tracks.forEach((track, row) => {
    const reachPx = reach(track, monotonicMs);
    const offset = row * detections.length;
    detections.forEach((detection, column) => {
      cost[offset + column] = pairCost(track, detection.box, gate, reachPx);
    });
  });
  const missCost = options.isLowScore ? LOW_SCORE_MISS_COST : MISS_COST;
  const columnOfRow = assign(cost, tracks.length, detections.length, missCost);

  const pairs: [T, FaceDetection][] = [];
  const freeTracks: T[] = [];
  const isUsed = new Set<number>();
  tracks.forEach((track, row) => {
    const column = columnOfRow[row]!;
    if (column < 0) {
      freeTracks.push(track);
    } else {
      isUsed.add(column);
      pairs.push([track, detections[column]!]);
    }
  });
  return { pairs, freeTracks, freeDetections: detections.filter((_, column) => !isUsed.has(column)) };
}

/**
 * Farthest that a face is believed to be from its predicted path, pixels. The filter's own uncertainty grows
 * with time^1.5 and would after a second reach across the picture: whoever stands there is somebody else.
 */
function reach(track: Associable, monotonicMs: number): number {
  const seconds = (monotonicMs - track.lastSeenMs) / 1000;
  // One sighting says nothing about speed: 20 face sizes a second is a run.
  const [base, perSecond] = track.hits < 2 ? [1, 20] : [1.5, 2.5];
  return track.filter.size * (base + perSecond * seconds);
}

function pairCost(track: Associable, box: Box, gate: number, reachPx: number): number {
  const centre = boxCentre(box);
  // Whoever slows down or stops while hidden is found between the last sighting and the prediction.
  if (distanceToSegment(centre, track.seenCentre, track.filter.centre) > reachPx)
    return Number.POSITIVE_INFINITY;
  const { distance2, logArea } = track.filter.surprise(box);
  const heightDeviation = Math.log(box.height / track.filter.box.height) / LOG_HEIGHT_SIGMA;
  const total = distance2 + heightDeviation ** 2;
  return total > gate ? Number.POSITIVE_INFINITY : total + logArea;
}

function distanceToSegment(point: Point, from: Point, to: Point): number {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length2 = dx * dx + dy * dy;
  const along =
    length2 === 0
      ? 0
      : Math.min(1, Math.max(0, ((point.x - from.x) * dx + (point.y - from.y) * dy) / length2));
  return Math.hypot(point.x - from.x - along * dx, point.y - from.y - along * dy);
}

/**
 * One detection per face, best scores first. Two boxes are on the same face when they overlap by half
 * (IoU > 0.5), or when their landmarks nearly coincide: a small and a large box on one face may overlap too
 * little for the detector's own NMS, two people's eyes are never in one place.
 */
export function withoutDuplicates(detections: readonly FaceDetection[]): FaceDetection[] {
  const kept: FaceDetection[] = [];
  for (const detection of [...detections].sort((a, b) => b.score - a.score)) {
    if (!kept.some((other) => isSameFace(detection, other))) kept.push(detection);
  }
  return kept;
}

/** Mean distance of landmarks below which two boxes hold one face, share of the smaller face's size. */
const SAME_LANDMARKS = 0.2;

function isSameFace(a: FaceDetection, b: FaceDetection): boolean {
  const overlap = iou(a.box, b.box);
  if (overlap > 0.5) return true;
  if (overlap === 0) return false;
  const size = Math.sqrt(Math.min(a.box.width * a.box.height, b.box.width * b.box.height));
  const meanDistance =
    a.landmarks.reduce((sum, point, index) => {
      const other = b.landmarks[index]!;
      return sum + Math.hypot(point.x - other.x, point.y - other.y);
    }, 0) / a.landmarks.length;
  return meanDistance < SAME_LANDMARKS * size;
}
