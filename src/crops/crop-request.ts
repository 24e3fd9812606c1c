import type { CropRequest } from '../../workers/protocol.js';
import type { FaceDetection } from '../domain/face.js';
import type { PixelBuffer } from '../domain/frame.js';
import { rollDegrees } from './head-pose.js';

/** What the classifier is asked about a face that the detector found in `pixels`, in whose pixels it is given. */
export function cropRequestOf({ box, score, landmarks }: FaceDetection, pixels: PixelBuffer): CropRequest {
  return { pixels, box, detectionScore: score, rollDegrees: rollDegrees(landmarks) };
}
