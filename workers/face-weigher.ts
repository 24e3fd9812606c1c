import type { LoadedModel } from '../src/inference/engine.js';
import { faceProbability, faceProbabilityWithCloseUp } from '../src/inference/face-probability.js';
import type { ModelManifest } from '../src/inference/manifest.js';
import { CloseUpDetector } from './close-up-detector.js';
import { viewPixels } from './pixel-view.js';
import type { CropRequest } from './protocol.js';

type Weights = NonNullable<ModelManifest['faceWeights']>;

/** Weighs what detector and classifier say of a box; where that leaves it open, the detector looks closer. */
export class FaceWeigher {
  readonly #weights: Weights;
  readonly #closeUp: CloseUpDetector | null;

  /** `null` where the classifier's manifest has no weights for this detector. Throws `AppError` MODEL_INVALID. */
  static for(
    { faceWeights }: ModelManifest,
    detector: LoadedModel,
    detectorManifest: ModelManifest,
  ): FaceWeigher | null {
    if (faceWeights?.detector !== detectorManifest.name) return null;
    const { closeUp } = faceWeights;
    return new FaceWeigher(
      faceWeights,
      closeUp ? new CloseUpDetector(detector, detectorManifest, closeUp) : null,
    );
  }

  private constructor(weights: Weights, closeUp: CloseUpDetector | null) {
    this.#weights = weights;
    this.#closeUp = closeUp;
  }

  /** `cropScore`: the classifier's. Throws `AppError` PIXELS_BAD_INPUT. */
  async weigh(
    { pixels, box }: CropRequest,
    detectionScore: number,
    cropScore: number,
  ): Promise<{ probability: number; hadCloseUp: boolean }> {
    const evidence = { detection: detectionScore, crop: cropScore };
    const probability = faceProbability(evidence, this.#weights);
    const { closeUp } = this.#weights;
    if (!closeUp || !this.#closeUp || probability <= closeUp.from || probability >= closeUp.to)
      return { probability, hadCloseUp: false };
    const score = await this.#closeUp.score(viewPixels(pixels), box);
    return {
      probability: faceProbabilityWithCloseUp({ ...evidence, closeUp: score }, closeUp),
      hadCloseUp: true,
    };
  }

  /** Runs once what is slow the first time. */
  async warmUp(): Promise<void> {
    await this.#closeUp?.measure();
  }
}
