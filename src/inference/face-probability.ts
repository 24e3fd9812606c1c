import { fromLogOdds, logOdds } from '../lib/log-odds.js';
import type { ModelManifest } from './manifest.js';

/** Output of a classifier that also tells whether a crop shows a face: batch × 1, in [0, 1]. */
export const FACE_OUTPUT = 'face';

/** How much the detector's score and the classifier's output `face` count when both speak of one box. */
export interface FaceWeights {
  readonly detection: number;
  readonly crop: number;
  readonly bias: number;
}

/** The same with the detector's score of a close-up of the box. */
export interface CloseUpWeights extends FaceWeights {
  readonly closeUp: number;
  /** Of the crop with what is around the box. Default 0. */
  readonly context?: number | undefined;
}

/** What is known of a box, all in [0, 1]. */
export interface BoxEvidence {
  readonly detection: number;
  readonly crop: number;
}

/**
 * Probability in [0, 1] that a box shows a face, by what detector and classifier say of it: a logistic regression on
 * their log odds. The two err on different things, so that together they tell more than either with a threshold of its
 * own; `npx tsx scripts/fit-face-weights.ts` fits the weights on the validation part.
 */
export function faceProbability({ detection, crop }: BoxEvidence, weights: FaceWeights): number {
  return fromLogOdds(weights.detection * logOdds(detection) + weights.crop * logOdds(crop) + weights.bias);
}

/** Whether `probability`, without a close-up, leaves open what a box shows, so that further looks are due. */
export function isLeftOpen(
  probability: number,
  { from, to }: { readonly from: number; readonly to: number },
): boolean {
  return probability > from && probability < to;
}

/** What is known of a box once it was looked at again, all in [0, 1]. */
export interface CloseUpEvidence extends BoxEvidence {
  readonly closeUp: number;
  /** The output `face` for the box with what is around it; null where that was not looked at. */
  readonly context: number | null;
}

/** The same where a close-up, and perhaps what is around the box, was looked at too. */
export function faceProbabilityWithCloseUp(
  { closeUp, context, ...evidence }: CloseUpEvidence,
  weights: CloseUpWeights,
): number {
  const further =
    weights.closeUp * logOdds(closeUp) + (context === null ? 0 : (weights.context ?? 0) * logOdds(context));
  return faceProbability(evidence, { ...weights, bias: weights.bias + further });
}

/**
 * What to tell people when a classifier that tells faces from other things has no weights for the detector in use, so
 * that `minFaceScore` is held against its word alone; `null` when all is well.
 */
export function missingFaceWeights(
  { name, outputs, faceWeights }: Pick<ModelManifest, 'name' | 'outputs' | 'faceWeights'>,
  detectorName: string,
): string | null {
  const tellsFaces = outputs.some((output) => output.name === FACE_OUTPUT);
  if (!tellsFaces || faceWeights?.detector === detectorName) return null;
  const known = faceWeights ? `only for ${faceWeights.detector}` : 'none at all';
  return `${name} has no face weights for ${detectorName}, ${known}: classification.minFaceScore is held against the classifier alone, for which 0.3 suits better; docs/evaluation.md says how to fit them`;
}
