import sharp from 'sharp';
import { assessCrop, type CropThresholds } from '../crops/assess-crop.js';
import { cropRequestOf } from '../crops/crop-request.js';
import type { PixelBuffer } from '../domain/frame.js';
import { topLabel } from '../domain/label.js';
import type { InferencePool } from '../inference/inference-pool.js';
import { AppError } from '../lib/errors.js';
import { type DetectionLine, toDetectedFace } from './detection-line.js';

export interface PictureRules {
  readonly crop: CropThresholds;
  /** Detections at or above this score are faces. */
  readonly scoreThreshold: number;
  /** Faces whose highest score is below this are `low_certainty`. */
  readonly minCertainty: number;
  /** What the classifier holds for a face with less than this is left out, [0, 1]. */
  readonly minFaceScore: number;
  /** Longer side to which the detector brings a picture, pixels: the space of `crop.minFacePx`. */
  readonly analysedPx: number;
}

/** A picture in shared memory, the right way up. Throws `AppError` PICTURE_UNREADABLE. */
export async function readPicture(path: string): Promise<PixelBuffer> {
  try {
    const { data, info } = await sharp(path)
      .autoOrient()
      .flatten({ background: '#000' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const buffer = new SharedArrayBuffer(width * height * 3);
    const pixels = new Uint8Array(buffer);
    if (channels === 3) pixels.set(data);
    else for (let i = 0; i < pixels.length; i++) pixels[i] = data[Math.floor(i / 3) * channels] as number;
    return { buffer, byteOffset: 0, width, height, contentWidth: width, contentHeight: height };
  } catch (cause) {
    throw new AppError('PICTURE_UNREADABLE', `${path} is not a picture that can be read`, { cause, path });
  }
}

/**
 * Finds and judges the faces of one picture by the product's rules. There is no track: the outcome is that of
 * the single crop. Throws `AppError` PICTURE_UNREADABLE or the worker's code.
 */
export async function detectPicture(
  path: string,
  pool: InferencePool,
  rules: PictureRules,
): Promise<{ line: DetectionLine; pixels: PixelBuffer }> {
  const pixels = await readPicture(path);
  const { width, height } = pixels;
  const detection = await pool.detect(pixels, rules.scoreThreshold);
  if (!detection.ok) throw new AppError(detection.error.code, detection.error.message);
  const found = detection.faces;
  const judged =
    found.length === 0
      ? ({ ok: true, scores: [], faceScores: [] } as const)
      : await pool.classify(found.map((face) => cropRequestOf(face, pixels)));
  if (!judged.ok) throw new AppError(judged.error.code, judged.error.message);
  const sourceScale = Math.max(1, Math.max(width, height) / rules.analysedPx);
  const faces = found.flatMap((face, index) => {
    if (judged.faceScores[index]! < rules.minFaceScore) return [];
    const scores = judged.scores[index]!;
    const assessment = assessCrop(face, { frameWidth: width, frameHeight: height, sourceScale }, rules.crop);
    const { box, landmarks, score: detectionScore } = face;
    const label = topLabel(scores);
    if (!assessment.assessable)
      return toDetectedFace({
        ...{ box, landmarks, detectionScore, scores, outcome: 'not_assessable', reason: assessment.reason },
      });
    if (scores[label] < rules.minCertainty)
      return toDetectedFace({
        ...{ box, landmarks, detectionScore, scores, outcome: 'not_assessable', reason: 'low_certainty' },
      });
    return toDetectedFace({ box, landmarks, detectionScore, scores, outcome: label });
  });
  return { line: { file: path, frame: 0, timeMs: 0, width, height, faces }, pixels };
}
