import type { Box, Point } from './box.js';
import type { MaskScores, NotAssessableReason, Outcome } from './label.js';

/**
 * Five landmarks in pixels of the source frame, in the detector's order, left and right as the person has
 * them: right eye, left eye, tip of the nose, right corner of the mouth, left corner of the mouth.
 */
export type Landmarks = readonly [Point, Point, Point, Point, Point];

/** One face in one frame. */
export interface FaceDetection {
  readonly box: Box;
  /** Output of the detector in [0, 1]; not a calibrated probability. */
  readonly score: number;
  readonly landmarks: Landmarks;
  /** Variance of the Laplacian of the face's luminance (see crops/sharpness.ts); higher is sharper. */
  readonly sharpness: number;
}

/** Whether a face can be judged, and how good its crop is (0 worst … 1 best). */
export type CropAssessment =
  | { readonly assessable: true; readonly quality: number }
  | { readonly assessable: false; readonly quality: number; readonly reason: NotAssessableReason };

/** What is said of one crop: the label by the classifier, whether it is a face by classifier and detector together. */
export interface CropJudgement {
  readonly scores: MaskScores;
  /** Probability in [0, 1] that the crop shows a face at all (see inference/face-probability.ts); 1 where nobody tells. */
  readonly faceScore: number;
}

/** The judgement of one crop of a track. */
export interface MaskPrediction extends CropJudgement {
  readonly trackId: number;
  /** Monotonic time of the frame from which the crop was cut, ms. */
  readonly monotonicMs: number;
  /** Quality of the crop in [0, 1], the weight of this prediction as evidence. */
  readonly quality: number;
}

/** What is told about one face of one frame. */
export interface FaceVerdict {
  readonly trackId: number;
  readonly box: Box;
  readonly detectionScore: number;
  readonly landmarks: Landmarks;
  readonly outcome: Outcome;
  readonly reason?: NotAssessableReason;
  readonly scores: MaskScores;
  readonly decision?: Decision;
}

/** The smoothed judgement of a track after one or more predictions. */
export interface Decision {
  readonly outcome: Outcome;
  readonly reason?: NotAssessableReason;
  /** Accumulated probability per label, in [0, 1], together 1. */
  readonly scores: MaskScores;
  /** Predictions that went into it. */
  readonly evidenceCount: number;
}
