import { logOdds } from '../lib/log-odds.js';

/** What a face score can say at the most, as log odds: one wild score must not decide for good. */
const MAX_LOG_ODDS = 4;
/** Power of one crop's score: crops of one thing moments apart fail for the same reason (see evidence.ts). */
const POWER = 0.5;
/** Log odds at the start: the detector found it in several frames, so it is likely a face (about 3 in 4). */
const PRIOR_LOG_ODDS = 1;
/** However long it went one way, some five clear crops turn it round. */
const MAX_TOTAL_LOG_ODDS = 8;

/**
 * Whether a track shows a face at all, by the face scores of its crops: the detector takes a patterned
 * shirt, a hand or a hood for a face now and then, and such a thing must neither be shown nor open an episode.
 * Naive Bayes with a power likelihood over the crops' face scores, each seen from the threshold.
 */
export class FaceEvidence {
  readonly #thresholdLogOdds: number;
  #logOdds = PRIOR_LOG_ODDS;

  /** `minFaceScore` in [0, 1]: a crop above it speaks for a face, one below against; 0 switches the veto off. */
  constructor(minFaceScore: number) {
    this.#thresholdLogOdds = minFaceScore <= 0 ? Number.NEGATIVE_INFINITY : logOdds(minFaceScore);
  }

  get isFace(): boolean {
    return this.#logOdds > 0;
  }

  /** Takes the face score of one crop, in [0, 1]; anything else is ignored. */
  add(faceScore: number): void {
    if (!(faceScore >= 0 && faceScore <= 1)) return;
    const seen = logOdds(faceScore) - this.#thresholdLogOdds;
    const limited = Math.min(MAX_LOG_ODDS, Math.max(-MAX_LOG_ODDS, seen));
    const total = this.#logOdds + POWER * limited;
    this.#logOdds = Math.min(MAX_TOTAL_LOG_ODDS, Math.max(-MAX_TOTAL_LOG_ODDS, total));
  }
}
