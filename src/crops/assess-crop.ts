import { type Box, clipBox, type Point } from '../domain/box.js';
import type { CropAssessment, FaceDetection, Landmarks } from '../domain/face.js';
import type { NotAssessableReason } from '../domain/label.js';

export interface CropThresholds {
  /** Smallest shorter side of the face box that is judged, pixels of the analysed picture. */
  readonly minFacePx: number;
  /** Least variance of the Laplacian that is judged (crops/sharpness.ts). */
  readonly minSharpness: number;
  /** Least {@link eyeSpan} of a face that is judged whatever its score. Default 0.12: about 75° of yaw. */
  readonly minEyeSpan?: number;
  /** A face below `minEyeSpan` is judged all the same from this detection score on. Default 0.7. */
  readonly profileScore?: number;
  /** Largest share of the box that may lie beyond the frame. Default 0.15. */
  readonly maxOutsideShare?: number;
}

export interface FrameGeometry {
  /** Size of the source frame, the space of boxes and landmarks, pixels. */
  readonly frameWidth: number;
  readonly frameHeight: number;
  /** Pixels of the source frame per pixel of the analysed picture (domain/frame.ts `sourceScale`). */
  readonly sourceScale: number;
}

/*
 * Measured on the 1000 scenes of jolignier/face-mask-dataset-ilc-2021, brought to 640 px, YuNet-n at score
 * 0.25: with minFacePx 16 and minSharpness 20 these defaults leave out 18 of the 2290 labelled faces of 16 px
 * or more (6 blurred, 6 turned away, 6 cut off), and 50 of 568 that were found at score 0.5 but never labelled.
 */
const DEFAULT_MIN_EYE_SPAN = 0.12;
const DEFAULT_PROFILE_SCORE = 0.7;
const DEFAULT_MAX_OUTSIDE_SHARE = 0.15;
/** {@link eyeSpan} of a face that looks into the camera: the upper quarter on those scenes. */
const FRONTAL_EYE_SPAN = 0.45;
/** From this size on, shorter side in pixels of the analysed picture, more pixels add nothing. */
const AMPLE_FACE_PX = 64;
/** From this sharpness on, more adds nothing: the lower quarter of the labelled faces. */
const AMPLE_SHARPNESS = 800;

/**
 * Whether a face can be judged for its mask, and how good its crop is.
 *
 * Not assessable is, in this order, what is `too_small` (shorter side), `cut_off` (too much of the box, or
 * nose or mouth, where a mask would be, beyond the frame), `turned_away` or `blurred`. A profile is still
 * judged, as a mask shows well in it: on the scenes, among faces turned by more than about 75° the detector
 * was sure (0.7 and more) of 64 of the 67 that people had labelled, and unsure of most that show hair and an
 * ear. Nose and mouth of a masked face are the detector's guess, so the eyes alone decide about the pose.
 *
 * `quality` in [0, 1] is the geometric mean of size, sharpness and pose, times the share inside the frame; it
 * is told in both cases. `face` in pixels of the source frame. Pure.
 */
export function assessCrop(
  face: FaceDetection,
  geometry: FrameGeometry,
  thresholds: CropThresholds,
): CropAssessment {
  const sidePx = Math.min(face.box.width, face.box.height) / geometry.sourceScale;
  const outsideShare = shareOutside(face.box, geometry);
  const span = eyeSpan(face.landmarks, face.box);
  const quality =
    Math.cbrt(
      ramp(sidePx, thresholds.minFacePx / 2, AMPLE_FACE_PX) *
        ramp(
          Math.log1p(face.sharpness),
          Math.log1p(thresholds.minSharpness / 2),
          Math.log1p(AMPLE_SHARPNESS),
        ) *
        (0.2 + 0.8 * ramp(span, 0, FRONTAL_EYE_SPAN)),
    ) *
    (1 - outsideShare);

  const reason = ((): NotAssessableReason | null => {
    if (!(sidePx >= thresholds.minFacePx)) return 'too_small';
    if (outsideShare > (thresholds.maxOutsideShare ?? DEFAULT_MAX_OUTSIDE_SHARE)) return 'cut_off';
    if (face.landmarks.slice(2).some((point) => !isInside(point, geometry))) return 'cut_off';
    const isProfile = span < (thresholds.minEyeSpan ?? DEFAULT_MIN_EYE_SPAN);
    if (isProfile && face.score < (thresholds.profileScore ?? DEFAULT_PROFILE_SCORE)) return 'turned_away';
    if (!(face.sharpness >= thresholds.minSharpness)) return 'blurred';
    return null;
  })();
  return reason === null ? { assessable: true, quality } : { assessable: false, quality, reason };
}

/**
 * Distance of the eyes as a share of the box's width, 0 … about 0.5. It shrinks with the cosine of the yaw
 * while the box keeps its width: yaw ≈ arccos(span / 0.45). Roll leaves it as it is.
 */
export function eyeSpan(landmarks: Landmarks, box: Pick<Box, 'width'>): number {
  const [right, left] = landmarks;
  return box.width > 0 ? Math.hypot(left.x - right.x, left.y - right.y) / box.width : 0;
}

function shareOutside(box: Box, { frameWidth, frameHeight }: FrameGeometry): number {
  const area = box.width * box.height;
  if (!(area > 0)) return 1;
  const inside = clipBox(box, frameWidth, frameHeight);
  return 1 - (inside.width * inside.height) / area;
}

function isInside({ x, y }: Point, { frameWidth, frameHeight }: FrameGeometry): boolean {
  return x >= 0 && y >= 0 && x <= frameWidth && y <= frameHeight;
}

/** 0 at or below `from`, 1 at or above `to`, straight between. */
function ramp(value: number, from: number, to: number): number {
  if (!(value > from)) return 0;
  return value >= to ? 1 : (value - from) / (to - from);
}
