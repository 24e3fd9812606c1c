import type { Box } from '../domain/box.js';
import type { FaceVerdict } from '../domain/face.js';
import type { MaskScores, NotAssessableReason, Outcome } from '../domain/label.js';
import { fourDecimals, tenth } from '../lib/rounding.js';

/** One line of `maskwatch detect --json` (CONTRACTS.md): a picture, or an analysed frame of a video. */
export interface DetectionLine {
  readonly file: string;
  /** Counts the analysed frames of the file from 0. */
  readonly frame: number;
  readonly timeMs: number;
  readonly width: number;
  readonly height: number;
  readonly faces: readonly DetectedFace[];
}

export interface DetectedFace {
  readonly box: Box;
  readonly detectionScore: number;
  readonly outcome: Outcome;
  readonly reason?: NotAssessableReason;
  /** Of the crop in a picture, of the track so far in a video. */
  readonly scores: MaskScores;
  readonly landmarks: readonly (readonly [number, number])[];
  readonly trackId?: number;
}

/** What stands for a file that cannot be read. */
export interface FailedLine {
  readonly file: string;
  readonly error: { readonly code: string; readonly message: string };
}

export function toDetectedFace(verdict: Omit<FaceVerdict, 'trackId'> & { trackId?: number }): DetectedFace {
  const { box, scores } = verdict;
  return {
    box: { x: tenth(box.x), y: tenth(box.y), width: tenth(box.width), height: tenth(box.height) },
    detectionScore: fourDecimals(verdict.detectionScore),
    outcome: verdict.outcome,
    ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
    scores: {
      with_mask: fourDecimals(scores.with_mask),
      without_mask: fourDecimals(scores.without_mask),
      mask_worn_incorrectly: fourDecimals(scores.mask_worn_incorrectly),
    },
    landmarks: verdict.landmarks.map(({ x, y }) => [tenth(x), tenth(y)] as const),
    ...(verdict.trackId === undefined ? {} : { trackId: verdict.trackId }),
  };
}

/** For people: file and time; the time of a picture, and of a video's first frame, is none. */
export function lineTitle(file: string, timeMs: number): string {
  return timeMs === 0 ? file : `${file} ${(timeMs / 1000).toFixed(1)} s`;
}
