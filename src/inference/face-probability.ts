import { fromLogOdds, logOdds } from '../lib/log-odds.js';

/** How much the detector's score and the classifier's output `face` count when both speak of one box. */
export interface FaceWeights {
  readonly detection: number;
  readonly crop: number;
  readonly bias: number;
}

/** The same with the detector's score of a close-up of the box. */
export interface CloseUpWeights extends FaceWeights {
  readonly closeUp: number;
}

/** What is known of a box, all in [0, 1]. */
export interface FaceEvidence {
  readonly detection: number;
  readonly crop: number;
}

/**
 * Probability in [0, 1] that a box shows a face, by what detector and classifier say of it: a logistic regression on
 * their log odds. The two err on different things, so that together they tell more than either with a threshold of its
 * own; `npx tsx scripts/fit-face-weights.ts` fits the weights on the validation part.
 */
export function faceProbability({ detection, crop }: FaceEvidence, weights: FaceWeights): number {
  return fromLogOdds(weights.detection * logOdds(detection) + weights.crop * logOdds(crop) + weights.bias);
}

/** The same where a close-up was looked at too. */
export function faceProbabilityWithCloseUp(
  { closeUp, ...evidence }: FaceEvidence & { readonly closeUp: number },
  weights: CloseUpWeights,
): number {
  return faceProbability(evidence, { ...weights, bias: weights.bias + weights.closeUp * logOdds(closeUp) });
}
