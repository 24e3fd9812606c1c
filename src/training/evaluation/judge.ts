import type { ClassifyResult, CropRequest, DetectResult, TaskFailure } from '../../../workers/protocol.js';
import type { Box } from '../../domain/box.js';
import type { CropJudgement, FaceDetection } from '../../domain/face.js';
import type { PixelBuffer } from '../../domain/frame.js';
import { AppError } from '../../lib/errors.js';
import type { FaceFinder } from '../dataset/face-finder.js';
import { type RgbPicture, toPixelBuffer } from '../dataset/rgb-picture.js';

/** What the evaluation needs of the inference pool. */
export interface InferencePort {
  detect(pixels: PixelBuffer, scoreThreshold: number): Promise<DetectResult | TaskFailure>;
  classify(crops: readonly CropRequest[]): Promise<ClassifyResult | TaskFailure>;
}

/** The product's detector and classifier, one picture at a time. Throws `AppError` with the worker's code. */
export class PictureJudge implements FaceFinder {
  readonly id = 'pool';
  readonly #port: InferencePort;
  readonly #scoreThreshold: number;
  readonly #lowestScore: number;

  /** `scoreThreshold`: the product's; `lowestScore`: where detections end to be of interest to the evaluation. */
  constructor(port: InferencePort, scoreThreshold: number, lowestScore: number) {
    this.#port = port;
    this.#scoreThreshold = scoreThreshold;
    this.#lowestScore = Math.min(lowestScore, scoreThreshold);
  }

  /** The faces that the product would see. */
  find(picture: RgbPicture): Promise<FaceDetection[]> {
    return this.#detect(picture, this.#scoreThreshold);
  }

  /** Weaker ones too. */
  findAll(picture: RgbPicture): Promise<FaceDetection[]> {
    return this.#detect(picture, this.#lowestScore);
  }

  async #detect(picture: RgbPicture, scoreThreshold: number): Promise<FaceDetection[]> {
    return [...succeeded(await this.#port.detect(toPixelBuffer(picture), scoreThreshold)).faces];
  }

  async classify(picture: RgbPicture, boxes: readonly Box[]): Promise<CropJudgement[]> {
    if (boxes.length === 0) return [];
    const pixels = toPixelBuffer(picture);
    const { scores, faceScores } = succeeded(
      await this.#port.classify(boxes.map((box) => ({ pixels, box }))),
    );
    return scores.map((ofCrop, index) => ({ scores: ofCrop, faceScore: faceScores[index] ?? 1 }));
  }

  /** The pool belongs to whoever opened it. */
  async close(): Promise<void> {}
}

function succeeded<T extends { readonly ok: true }>(result: T | TaskFailure): T {
  if (result.ok) return result;
  throw new AppError(result.error.code, result.error.message, { retryable: result.error.retryable });
}
