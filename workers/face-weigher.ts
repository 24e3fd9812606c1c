import type { LoadedModel } from '../src/inference/engine.js';
import {
  type BoxEvidence,
  faceProbability,
  faceProbabilityWithCloseUp,
  isLeftOpen,
} from '../src/inference/face-probability.js';
import type { ModelManifest } from '../src/inference/manifest.js';
import { AppError } from '../src/lib/errors.js';
import { checkInputSize } from './check-input-size.js';
import { CloseUpDetector } from './close-up-detector.js';
import { viewPixels } from './pixel-view.js';
import type { CropRequest } from './protocol.js';

type Weights = NonNullable<ModelManifest['faceWeights']>;

/** A crop whose box leaves open what it shows, to be weighed again. */
export interface OpenBox {
  readonly crop: CropRequest;
  readonly evidence: BoxEvidence;
}

/** Weighs what detector and classifier say of a box; where that leaves it open, both look again. */
export class FaceWeigher {
  readonly #weights: Weights;
  readonly #closeUp: CloseUpDetector | null;

  /**
   * `null` where the classifier's manifest has no weights for this detector. Throws `AppError` MODEL_INVALID, also when
   * they weigh what is around the box and no margin is given for that, or MODEL_UNSUPPORTED when the detector
   * does not take close-ups of that size.
   */
  static for(
    { name, crop, faceWeights }: ModelManifest,
    detector: LoadedModel,
    detectorManifest: ModelManifest,
  ): FaceWeigher | null {
    if (faceWeights?.detector !== detectorManifest.name) return null;
    const { closeUp } = faceWeights;
    if (closeUp?.context !== undefined && crop?.contextMarginRatio === undefined)
      throw new AppError(
        'MODEL_INVALID',
        `model ${name}: faceWeights.closeUp.context weighs what is around the box, and crop.contextMarginRatio does not say how much of it`,
      );
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

  /** Whether the classifier's output `face` for the box with what is around it counts where a box is open. */
  get wantsContext(): boolean {
    return this.#weights.closeUp?.context !== undefined;
  }

  /** By a first look; `isOpen`: that leaves it open, and {@link weighAgain} tells more. */
  weigh(evidence: BoxEvidence): { probability: number; isOpen: boolean } {
    const probability = faceProbability(evidence, this.#weights);
    const { closeUp } = this.#weights;
    return { probability, isOpen: closeUp !== undefined && isLeftOpen(probability, closeUp) };
  }

  /**
   * With a close-up of the detector; `context`: the classifier's output `face` for the box with what is around it, null
   * where nothing is known of that. Throws `AppError` PIXELS_BAD_INPUT.
   */
  async weighAgain(
    { crop: { pixels, box }, evidence }: OpenBox,
    context: number | null,
  ): Promise<{ probability: number; closeUpMs: number }> {
    const startMs = performance.now();
    const closeUp = await this.#closeUp!.score(viewPixels(pixels), box);
    return {
      probability: faceProbabilityWithCloseUp({ ...evidence, closeUp, context }, this.#weights.closeUp!),
      closeUpMs: performance.now() - startMs,
    };
  }

  /** Runs once what is slow the first time. */
  async warmUp(): Promise<void> {
    await this.#closeUp?.measure();
  }
}
