import type { Box } from './box.js';

/** A face of the present frame that was chosen to be classified. */
export interface FaceCrop {
  readonly trackId: number;
  /** The detector's box, in pixels of the source frame. */
  readonly box: Box;
  /** The detector's score of the box, in [0, 1]. */
  readonly detectionScore: number;
  /** How far the head leans, degrees, above 0 clockwise as the picture shows it (crops/head-pose.ts). */
  readonly rollDegrees: number;
  /** Quality in [0, 1]; goes into {@link MaskPrediction.quality} of what comes back. */
  readonly quality: number;
  /** Monotonic time of the frame, ms. */
  readonly monotonicMs: number;
}
