import { fromLogOdds, logOdds } from '../lib/log-odds.js';

/** How much the detector's score and the classifier's output `face` count when both speak of one box. */
export interface FaceWeights {
  readonly detection: number;
  readonly crop: number;
  readonly bias: number;
}

/**
 * Probability in [0, 1] that a box shows a face, by what detector and classifier say of it, both in [0, 1]: a logistic
 * regression on their log odds. The two err on different things, so that together they tell more than either with a
 * threshold of its own; `npx tsx scripts/fit-face-weights.ts` fits the weights on the validation part.
 */
export function faceProbability(detectionScore: number, cropScore: number, weights: FaceWeights): number {
  const { detection, crop, bias } = weights;
  return fromLogOdds(detection * logOdds(detectionScore) + crop * logOdds(cropScore) + bias);
}
