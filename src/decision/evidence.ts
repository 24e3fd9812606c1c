import type { Decision, MaskPrediction } from '../domain/face.js';
import { MASK_LABELS, type MaskLabel, type MaskScores, topLabel } from '../domain/label.js';

/*
 * What is believed of one track, after any number of predictions.
 *
 * Model: a hidden Markov model whose states are the three labels, filtered forward (Rabiner 1989, §III).
 * Between two predictions a person changes state with a small probability that grows with time (that is the
 * exponential forgetting: old evidence cannot outweigh a mask that was just put on). A prediction's scores
 * are the likelihoods of the states, raised to a power below one (a power likelihood, Ibrahim & Chen 2000):
 * crops of one face moments apart fail for the same reason, and counting them as independent would let two
 * or three decide everything. The power is the crop's quality, so that poor crops say less.
 */
export interface EvidenceOptions {
  /** Power of a prediction from a crop of quality 1, in (0, 1]. Default 0.5. */
  readonly maxPower?: number;
  /** Power of a prediction from a crop of quality 0. Default 0.15. */
  readonly minPower?: number;
  /** No score counts as less than this: one wild prediction must not decide anything. Default 0.03. */
  readonly scoreFloor?: number;
  /** Mean time after which a person's label changes, as far as the model believes, ms. Default 20 000. */
  readonly changeMs?: number;
  /** Most probable label at or above this: decided, in (0.5, 1]. Default 0.75. */
  readonly decidedScore?: number;
  /** Predictions needed before anything is decided. Default 2. */
  readonly minEvidence?: number;
}

const DEFAULTS: Required<EvidenceOptions> = {
  maxPower: 0.5,
  minPower: 0.15,
  scoreFloor: 0.03,
  changeMs: 20_000,
  decidedScore: 0.75,
  minEvidence: 2,
};
/** However long nobody looked, a decision stays the best guess. */
const MAX_CHANGE_PROBABILITY = 0.1;

/** Scores of a track about which nothing is known. */
export const UNKNOWN_SCORES: MaskScores = {
  with_mask: 1 / 3,
  without_mask: 1 / 3,
  mask_worn_incorrectly: 1 / 3,
};

/** Accumulates the predictions of one track. */
export class Evidence {
  readonly #options: Required<EvidenceOptions>;
  #scores: MaskScores = UNKNOWN_SCORES;
  #count = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: EvidenceOptions = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** Predictions that went in. */
  get count(): number {
    return this.#count;
  }

  /** Monotonic time of the newest prediction, ms; -Infinity before the first. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** Accumulated probability per label, together 1. */
  get scores(): MaskScores {
    return this.#scores;
  }

  /** Takes a prediction; scores that are no numbers or all zero are ignored and false is returned. */
  add({ scores, quality, monotonicMs }: Omit<MaskPrediction, 'trackId' | 'faceScore'>): boolean {
    const { maxPower, minPower, scoreFloor, changeMs } = this.#options;
    const total = MASK_LABELS.reduce((sum, label) => sum + scores[label], 0);
    if (!(total > 0) || !Number.isFinite(total)) return false;
    const elapsedMs = this.#count === 0 ? 0 : Math.max(0, monotonicMs - this.#lastMs);
    const change = Math.min(MAX_CHANGE_PROBABILITY, 1 - Math.exp(-elapsedMs / changeMs));
    const power = minPower + (maxPower - minPower) * Math.min(1, Math.max(0, quality));
    const weighed = MASK_LABELS.map((label) => {
      const before = this.#scores[label];
      const prior = before * (1 - change) + ((1 - before) * change) / (MASK_LABELS.length - 1);
      return prior * Math.max(scores[label] / total, scoreFloor) ** power;
    });
    const sum = weighed.reduce((a, b) => a + b, 0);
    this.#scores = Object.fromEntries(
      MASK_LABELS.map((label, index) => [label, weighed[index]! / sum]),
    ) as Record<MaskLabel, number>;
    this.#count++;
    this.#lastMs = Math.max(this.#lastMs, monotonicMs);
    return true;
  }

  /** The present decision; `null` before the first prediction. */
  decision(): Decision | null {
    if (this.#count === 0) return null;
    const { decidedScore, minEvidence } = this.#options;
    const label = topLabel(this.#scores);
    const common = { scores: this.#scores, evidenceCount: this.#count };
    return this.#count >= minEvidence && this.#scores[label] >= decidedScore
      ? { outcome: label, ...common }
      : { outcome: 'not_assessable', reason: 'low_certainty', ...common };
  }
}
