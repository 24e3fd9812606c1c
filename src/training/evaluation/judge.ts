import type { ClassifyResult, CropRequest, DetectResult, TaskFailure } from '../../../workers/protocol.js';
import { cropRequestOf } from '../../crops/crop-request.js';
import type { Box } from '../../domain/box.js';
import type { CropJudgement, FaceDetection } from '../../domain/face.js';
import type { PixelBuffer } from '../../domain/frame.js';
import { AppError } from '../../lib/errors.js';
import type { FaceFinder } from '../dataset/face-finder.js';
import { blankPicture, type RgbPicture, toPixelBuffer } from '../dataset/rgb-picture.js';
import { readStretched } from '../dataset/stretched-picture.js';

/** What the evaluation needs of the inference pool. */
export interface InferencePort {
  detect(pixels: PixelBuffer, scoreThreshold: number): Promise<DetectResult | TaskFailure>;
  classify(crops: readonly CropRequest[]): Promise<ClassifyResult | TaskFailure>;
  /** Absent: pictures of one person are judged by their face, as the product judges faces. */
  readonly wholePortraits?: WholePortraits;
}

/** Of a classifier that was trained on whole portraits: its input's side, and the margin of its crops. */
export interface WholePortraits {
  readonly sizePx: number;
  readonly marginRatio: number;
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

  /** A face that the detector found is judged by its score too; a box that somebody drew has none. */
  async classify(picture: RgbPicture, boxes: readonly (Box | FaceDetection)[]): Promise<CropJudgement[]> {
    if (boxes.length === 0) return [];
    const pixels = toPixelBuffer(picture);
    const { scores, faceScores } = succeeded(
      await this.#port.classify(
        boxes.map((given) => ('box' in given ? cropRequestOf(given, pixels) : { pixels, box: given })),
      ),
    );
    return scores.map((ofCrop, index) => ({ scores: ofCrop, faceScore: faceScores[index] ?? 1 }));
  }

  /** Of the whole picture, stretched to the input; null where the classifier wants a face. */
  async classifyWhole(path: string): Promise<CropJudgement | null> {
    const { wholePortraits } = this.#port;
    if (!wholePortraits) return null;
    const { sizePx, marginRatio } = wholePortraits;
    const picture = blankPicture(sizePx, sizePx);
    picture.data.set(await readStretched(path, sizePx));
    // The box whose crop, with the margin that the worker adds, is the picture.
    const side = sizePx / (1 + marginRatio);
    const corner = (sizePx - side) / 2;
    const [judgement] = await this.classify(picture, [{ x: corner, y: corner, width: side, height: side }]);
    return judgement!;
  }

  /** The pool belongs to whoever opened it. */
  async close(): Promise<void> {}
}

function succeeded<T extends { readonly ok: true }>(result: T | TaskFailure): T {
  if (result.ok) return result;
  throw new AppError(result.error.code, result.error.message, { retryable: result.error.retryable });
}
