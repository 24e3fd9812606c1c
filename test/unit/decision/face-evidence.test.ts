import { describe, expect, it } from 'vitest';
import { FaceEvidence } from '../../../src/decision/face-evidence.js';

function isFaceAfter(scores: readonly number[], minFaceScore = 0.5): boolean {
  const evidence = new FaceEvidence(minFaceScore);
  for (const score of scores) evidence.add(score);
  return evidence.isFace;
}

describe('whether a track shows a face', () => {
  it.each([
    ['nothing is known yet', [], true],
    ['one crop is clearly none', [0.01], false],
    ['one crop is somewhat doubtful', [0.3], true],
    ['several are somewhat doubtful', [0.3, 0.3, 0.3], false],
    ['a clear face is once not seen as one', [0.95, 0.95, 0], true],
    [
      'it was long taken for none, then is clearly one',
      [...Array(50).fill(0), ...Array(5).fill(0.999)],
      true,
    ],
    ['scores are no probabilities', [Number.NaN, -1, 2], true],
  ])('%s', (_title, scores, expected) => {
    expect(isFaceAfter(scores)).toBe(expected);
  });

  it('goes by the threshold, and 0 switches it off', () => {
    expect(isFaceAfter([0.3, 0.3, 0.3], 0.2)).toBe(true);
    expect(isFaceAfter([0.6, 0.6, 0.6, 0.6, 0.6, 0.6], 0.8)).toBe(false);
    expect(isFaceAfter([0, 0, 0], 0)).toBe(true);
  });
});
