import { describe, expect, it } from 'vitest';
import {
  faceProbability,
  faceProbabilityWithCloseUp,
  missingFaceWeights,
} from '../../../src/inference/face-probability.js';

const weights = { detection: 1, crop: 0.5, bias: 0 };

describe('faceProbability', () => {
  it('adds log odds by weight', () => {
    // Odds 4 to 1, and 9 to 1 at half weight: 4 · 3 to 1.
    expect(faceProbability({ detection: 0.8, crop: 0.9 }, weights)).toBeCloseTo(12 / 13, 10);
    expect(faceProbability({ detection: 0.5, crop: 0.5 }, { ...weights, bias: Math.log(3) })).toBeCloseTo(
      0.75,
      10,
    );
  });

  it('lets the one with more weight prevail where they disagree, but not alone', () => {
    const even = faceProbability({ detection: 0.5, crop: 0.5 }, weights);
    expect(faceProbability({ detection: 0.99, crop: 0.01 }, weights)).toBeGreaterThan(even);
    expect(faceProbability({ detection: 0.3, crop: 0.01 }, weights)).toBeLessThan(
      faceProbability({ detection: 0.9, crop: 0.01 }, weights),
    );
  });

  it('stays a probability at the ends', () => {
    expect(faceProbability({ detection: 1, crop: 1 }, weights)).toBeLessThanOrEqual(1);
    expect(faceProbability({ detection: 0, crop: 0 }, weights)).toBeGreaterThanOrEqual(0);
    expect(faceProbability({ detection: 0, crop: 1 }, weights)).toBeGreaterThan(0);
  });
});

describe('faceProbabilityWithCloseUp', () => {
  it('adds the close-up’s log odds by its weight', () => {
    const evidence = { detection: 0.8, crop: 0.9, closeUp: 0.2, context: null };
    // 12 to 1 of the other two, and 1 to 4 twice.
    expect(faceProbabilityWithCloseUp(evidence, { ...weights, closeUp: 2 })).toBeCloseTo(12 / 28, 10);
    expect(faceProbabilityWithCloseUp(evidence, { ...weights, closeUp: 0 })).toBeCloseTo(12 / 13, 10);
  });

  it('adds those of what is around the box where that was looked at and counts', () => {
    const evidence = { detection: 0.8, crop: 0.9, closeUp: 0.5, context: 0.25 };
    // 12 to 1 of the first two, and 1 to 3 once.
    const withContext = { ...weights, closeUp: 1, context: 1 };
    expect(faceProbabilityWithCloseUp(evidence, withContext)).toBeCloseTo(4 / 5, 10);
    expect(faceProbabilityWithCloseUp({ ...evidence, context: null }, withContext)).toBeCloseTo(12 / 13, 10);
    expect(faceProbabilityWithCloseUp(evidence, { ...weights, closeUp: 1 })).toBeCloseTo(12 / 13, 10);
  });
});

describe('missingFaceWeights', () => {
  const outputs = [
    { name: 'scores', shape: [null, 3], meaning: 'scores' },
    { name: 'face', shape: [null, 1], meaning: 'face' },
  ];
  const faceWeights = { detector: 'finder', ...weights };

  it('tells of a classifier that tells faces and was not weighed against this detector', () => {
    expect(missingFaceWeights({ name: 'judge', outputs, faceWeights }, 'finder')).toBeNull();
    expect(missingFaceWeights({ name: 'judge', outputs: outputs.slice(0, 1) }, 'finder')).toBeNull();
    expect(missingFaceWeights({ name: 'judge', outputs }, 'finder')).toContain('no face weights for finder');
    expect(missingFaceWeights({ name: 'judge', outputs, faceWeights }, 'other')).toContain('only for finder');
  });
});
