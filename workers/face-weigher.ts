import type { LoadedModel } from '../src/inference/engine.js';
import {
  type BoxEvidence,
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

interface Closer {
  readonly weights: NonNullable<Weights['closeUp']>;
  readonly detector: CloseUpDetector;
}

/** A crop whose box leaves open what it shows, to be weighed again. */
export interface OpenBox {
  readonly crop: CropRequest;
  readonly evidence: BoxEvidence;
}

/** Weighs what detector and classifier say of a box; where that leaves it open, both look again. */
export class FaceWeigher {
  readonly #weights: Weights;
  /** `null`: a first look decides. */
  readonly #closer: Closer | null;

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
      closeUp
        ? { weights: closeUp, detector: new CloseUpDetector(detector, detectorManifest, closeUp) }
        : null,
    );
  }

  private constructor(weights: Weights, closer: Closer | null) {
    this.#weights = weights;
    this.#closer = closer;
  }

  /** Whether the classifier's output `face` for the box with what is around it counts where a box is open. */
  get wantsContext(): boolean {
    return this.#closer?.weights.context !== undefined;
  }

  /** By a first look; `isOpen`: that leaves it open, and {@link weighAgain} tells more. */
  weigh(evidence: BoxEvidence): { probability: number; isOpen: boolean } {
    const probability = faceProbability(evidence, this.#weights);
    return { probability, isOpen: this.#closer !== null && isLeftOpen(probability, this.#closer.weights) };
  }

  /**
   * With a close-up of the detector, for a box that {@link weigh} leaves open; `context`: the classifier's output `face`
   * for the box with what is around it, null unless {@link wantsContext}. Throws `AppError` PIXELS_BAD_INPUT.
   */
  async weighAgain(
    { crop: { pixels, box }, evidence }: OpenBox,
    context: number | null,
  ): Promise<{ probability: number; closeUpMs: number }> {
    if (!this.#closer) throw new Error('no further looks: the weights have none');
    const startMs = performance.now();
    const closeUp = await this.#closer.detector.score(viewPixels(pixels), box);
    return {
      probability: faceProbabilityWithCloseUp({ ...evidence, closeUp, context }, this.#closer.weights),
      closeUpMs: performance.now() - startMs,
    };
  }

  /** Runs once what is slow the first time. */
  async warmUp(): Promise<void> {
    await this.#closer?.detector.measure();
  }
}
