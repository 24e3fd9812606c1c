import { describe, expect, it } from 'vitest';
import { faceProbability } from '../../../src/inference/face-probability.js';

const weights = { detection: 1, crop: 0.5, bias: 0 };

describe('faceProbability', () => {
  it('adds log odds by weight', () => {
    // Odds 4 to 1, and 9 to 1 at half weight: 4 · 3 to 1.
    expect(faceProbability(0.8, 0.9, weights)).toBeCloseTo(12 / 13, 10);
    expect(faceProbability(0.5, 0.5, { ...weights, bias: Math.log(3) })).toBeCloseTo(0.75, 10);
  });

  it('lets neither decide alone where the other is sure of the contrary', () => {
    const even = faceProbability(0.5, 0.5, weights);
    expect(faceProbability(0.99, 0.01, weights)).toBeGreaterThan(even);
    expect(faceProbability(0.3, 0.01, weights)).toBeLessThan(faceProbability(0.9, 0.01, weights));
  });

  it('stays a probability at the ends', () => {
    expect(faceProbability(1, 1, weights)).toBeLessThanOrEqual(1);
    expect(faceProbability(0, 0, weights)).toBeGreaterThanOrEqual(0);
    expect(faceProbability(0, 1, weights)).toBeGreaterThan(0);
  });
});
