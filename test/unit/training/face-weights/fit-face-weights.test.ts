import { describe, expect, it } from 'vitest';
import { faceWeightsSchema } from '../../../../src/inference/manifest.js';
import { fromLogOdds } from '../../../../src/lib/log-odds.js';
import { seededRandom } from '../../../../src/lib/random.js';
import {
  fitFaceWeights,
  weighedProbability,
} from '../../../../src/training/face-weights/fit-face-weights.js';
import type { MeasuredBox } from '../../../../src/training/face-weights/measure-boxes.js';

/** Each look adds its own noise to what the box shows; the close-up errs least. */
function drawBoxes(count: number): MeasuredBox[] {
  const random = seededRandom('boxes');
  const look = (isFace: boolean, noise: number) =>
    fromLogOdds((isFace ? 1.5 : -1.5) + noise * random.normal());
  return Array.from({ length: count }, () => {
    const isFace = random.chance(0.6);
    return {
      ...{ isFace, isUnlabelled: false, detection: look(isFace, 2), crop: look(isFace, 2) },
      ...{ closeUp: look(isFace, 1), context: null },
    };
  });
}

/** The same, of a classifier that looks at what is around a box too. */
function withContext(boxes: readonly MeasuredBox[]): MeasuredBox[] {
  const random = seededRandom('context');
  return boxes.map((box) => ({
    ...box,
    context: fromLogOdds((box.isFace ? 1.5 : -1.5) + random.normal()),
  }));
}

const wrong = (boxes: readonly MeasuredBox[], probabilityOf: (box: MeasuredBox) => number) =>
  boxes.filter((box) => probabilityOf(box) >= 0.5 !== box.isFace).length;

describe('fitFaceWeights', () => {
  it('weighs detector, classifier and close-ups so that fewer boxes are taken wrongly than by any one', () => {
    const [boxes, others] = [drawBoxes(1000), drawBoxes(3000).slice(1000)];
    const weights = fitFaceWeights(boxes, 'finder')!;
    expect(faceWeightsSchema.parse(weights)).toEqual(weights);
    expect(weights.detector).toBe('finder');
    const { closeUp, ...two } = weights;
    const withCloseUps = wrong(others, (box) => weighedProbability(box, weights));
    const without = wrong(others, (box) => weighedProbability(box, two));
    expect(withCloseUps).toBeLessThan(0.8 * without);
    expect(without).toBeLessThan(wrong(others, ({ crop }) => crop));
    expect(without).toBeLessThan(wrong(others, ({ detection }) => detection));
    expect(closeUp!.closeUp).toBeGreaterThan(closeUp!.crop);
  });

  it('weighs what is around the box where every box has it', () => {
    const [boxes, others] = [drawBoxes(1000), drawBoxes(3000).slice(1000)].map(withContext) as [
      MeasuredBox[],
      MeasuredBox[],
    ];
    const weights = fitFaceWeights(boxes, 'finder')!;
    expect(faceWeightsSchema.parse(weights)).toEqual(weights);
    expect(weights.closeUp!.context).toBeGreaterThan(weights.closeUp!.crop);
    const without = fitFaceWeights(drawBoxes(1000), 'finder')!;
    expect(without.closeUp).not.toHaveProperty('context');
    expect(wrong(others, (box) => weighedProbability(box, weights))).toBeLessThan(
      0.9 * wrong(others, (box) => weighedProbability(box, without)),
    );
    const [first, ...rest] = boxes;
    const someUnknown = fitFaceWeights([{ ...first!, context: null }, ...rest], 'finder')!;
    expect(someUnknown.closeUp).not.toHaveProperty('context');
  });

  it('leaves faces without a label aside', () => {
    const boxes = drawBoxes(1000);
    const hard = {
      isFace: true,
      isUnlabelled: true,
      detection: 0.2,
      crop: 0.01,
      closeUp: 0.01,
      context: null,
    };
    const withHard = [...boxes, ...Array.from({ length: 300 }, () => hard)];
    expect(fitFaceWeights(withHard, 'finder')).toEqual(fitFaceWeights(boxes, 'finder'));
  });

  it('fits nothing on few boxes, and no close-ups where few are open', () => {
    expect(fitFaceWeights(drawBoxes(60), 'finder')).toBeNull();
    const sure = drawBoxes(600).map((box) => ({ ...box, crop: box.isFace ? 0.9999 : 0.0001 }));
    const weights = fitFaceWeights(sure, 'finder');
    expect(weights).not.toBeNull();
    expect(weights).not.toHaveProperty('closeUp');
  });
});
