import type { LoadedModel } from '../src/inference/engine.js';
import {
  faceProbability,
  faceProbabilityWithCloseUp,
  isLeftOpen,
} from '../src/inference/face-probability.js';
import type { ModelManifest } from '../src/inference/manifest.js';
import { checkInputSize } from './check-input-size.js';
import { CloseUpDetector } from './close-up-detector.js';
import { viewPixels } from './pixel-view.js';
import type { CropRequest } from './protocol.js';

type Weights = NonNullable<ModelManifest['faceWeights']>;

/** Weighs what detector and classifier say of a box; where that leaves it open, the detector looks closer. */
export class FaceWeigher {
  readonly #weights: Weights;
  readonly #closeUp: CloseUpDetector | null;

  /**
   * `null` where the classifier's manifest has no weights for this detector. Throws `AppError` MODEL_INVALID, or
   * MODEL_UNSUPPORTED when the detector does not take close-ups of that size.
   */
  static for(
    { faceWeights }: ModelManifest,
    detector: LoadedModel,
    detectorManifest: ModelManifest,
  ): FaceWeigher | null {
    if (faceWeights?.detector !== detectorManifest.name) return null;
    const { closeUp } = faceWeights;
    if (closeUp)
      checkInputSize(
        detectorManifest,
        closeUp.sizePx,
        closeUp.sizePx,
        'take a detector for which the classifier’s faceWeights were fitted',
      );
    return new FaceWeigher(
      faceWeights,
      closeUp ? new CloseUpDetector(detector, detectorManifest, closeUp) : null,
    );
  }

  private constructor(weights: Weights, closeUp: CloseUpDetector | null) {
    this.#weights = weights;
    this.#closeUp = closeUp;
  }

  /** `cropScore`: the classifier's; `closeUpMs`: what a close-up took, null where none was needed. Throws `AppError` PIXELS_BAD_INPUT. */
  async weigh(
    { pixels, box }: CropRequest,
    detectionScore: number,
    cropScore: number,
  ): Promise<{ probability: number; closeUpMs: number | null }> {
    const evidence = { detection: detectionScore, crop: cropScore };
    const probability = faceProbability(evidence, this.#weights);
    const { closeUp } = this.#weights;
    if (!closeUp || !this.#closeUp || !isLeftOpen(probability, closeUp))
      return { probability, closeUpMs: null };
    const startMs = performance.now();
    const score = await this.#closeUp.score(viewPixels(pixels), box);
    return {
      probability: faceProbabilityWithCloseUp({ ...evidence, closeUp: score }, closeUp),
      closeUpMs: performance.now() - startMs,
    };
  }

  /** Runs once what is slow the first time. */
  async warmUp(): Promise<void> {
    await this.#closeUp?.measure();
  }
}
