import type { CropAssessment, FaceDetection } from '../domain/face.js';

export interface CropThresholds {
  /** Smallest shorter side of the face box, pixels of the analysed picture. */
  readonly minFacePx: number;
  /** Least variance of the Laplacian (crops/sharpness.ts). */
  readonly minSharpness: number;
}

export interface FrameGeometry {
  /** Size of the source frame, the space of the boxes, pixels. */
  readonly frameWidth: number;
  readonly frameHeight: number;
  /** Pixels of the source frame per pixel of the analysed picture (domain/frame.ts `sourceScale`). */
  readonly sourceScale: number;
}

/** Whether a face can be judged for its mask, and how good its crop is. Pure. */
export function assessCrop(
  _face: FaceDetection,
  _geometry: FrameGeometry,
  _thresholds: CropThresholds,
): CropAssessment {
  return { assessable: true, quality: 1 };
}
