import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { faceProbability, faceProbabilityWithCloseUp, isLeftOpen } from '../../inference/face-probability.js';
import type { ModelManifest } from '../../inference/manifest.js';
import { logOdds } from '../../lib/log-odds.js';
import { fitLogisticRegression } from '../metrics/logistic-regression.js';
import type { MeasuredBox } from './measure-boxes.js';

export type FaceWeights = NonNullable<ModelManifest['faceWeights']>;

/** Of 96, 160 and 224 px and margins of 1 and 2 these tell most, if by little (validation part, 27 November 2026). */
export const CLOSE_UP = { sizePx: 160, marginRatio: 2 };
/** Below and above, further looks change too little to be worth their time. */
const OPEN = { from: 0.1, to: 0.97 };
/** Of each kind, faces and other things; with fewer the weights would be chance. */
const FEWEST_BOXES = 50;

/**
 * Fits how much detector, classifier and, where those two leave it open, further looks count, faces without a label left
 * aside; `null` when there are fewer than 50 faces or 50 other things. `detectorName`: whose boxes and close-ups they are.
 */
export function fitFaceWeights(measured: readonly MeasuredBox[], detectorName: string): FaceWeights | null {
  const boxes = measured.filter(({ isUnlabelled }) => !isUnlabelled);
  const isEnough = (some: readonly MeasuredBox[]) => {
    const faces = some.filter(({ isFace }) => isFace).length;
    return faces >= FEWEST_BOXES && some.length - faces >= FEWEST_BOXES;
  };
  if (!isEnough(boxes)) return null;
  const [detection, crop, bias] = fitWeights(boxes, (box) => [box.detection, box.crop]);
  const weights = { detector: detectorName, detection: detection!, crop: crop!, bias: bias! };
  const open = boxes.filter((box) => isLeftOpen(faceProbability(box, weights), OPEN));
  if (!isEnough(open)) return weights;
  const knowsContext = boxes.every(({ context }) => context !== null);
  const second = fitWeights(open, ({ detection, crop, closeUp, context }) => [
    ...[detection, crop, closeUp],
    ...(knowsContext ? [context!] : []),
  ]);
  const closeUp = {
    ...{ detection: second[0]!, crop: second[1]!, closeUp: second[2]! },
    ...(knowsContext ? { context: second[3]! } : {}),
    bias: second.at(-1)!,
  };
  return { ...weights, closeUp: { ...OPEN, ...CLOSE_UP, ...closeUp } };
}

/** The probability that the service would give. */
export function weighedProbability(box: MeasuredBox, weights: FaceWeights): number {
  const probability = faceProbability(box, weights);
  const { closeUp } = weights;
  return closeUp && isLeftOpen(probability, closeUp) ? faceProbabilityWithCloseUp(box, closeUp) : probability;
}

/** Puts weights into the manifest of a model's folder. */
export async function writeFaceWeights(modelDir: string, faceWeights: FaceWeights): Promise<void> {
  const path = join(modelDir, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, `${JSON.stringify({ ...manifest, faceWeights }, null, 2)}\n`);
}

/** Weights of the log odds and, last, the bias. */
function fitWeights(
  boxes: readonly MeasuredBox[],
  evidenceOf: (box: MeasuredBox) => readonly number[],
): number[] {
  return fitLogisticRegression(
    boxes.map((box) => evidenceOf(box).map(logOdds)),
    boxes.map(({ isFace }) => isFace),
  ).map((weight) => Number(weight.toFixed(3)));
}
