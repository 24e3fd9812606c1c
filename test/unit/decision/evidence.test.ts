import { describe, expect, it } from 'vitest';
import { Evidence, UNKNOWN_SCORES } from '../../../src/decision/evidence.js';
import { MASK_LABELS, type MaskScores } from '../../../src/domain/label.js';
import { seededRandom } from '../tracking/make-face.js';

const MASKED: MaskScores = { with_mask: 0.97, without_mask: 0.02, mask_worn_incorrectly: 0.01 };
const BARE: MaskScores = { with_mask: 0.02, without_mask: 0.97, mask_worn_incorrectly: 0.01 };
const UNSURE: MaskScores = { with_mask: 0.4, without_mask: 0.35, mask_worn_incorrectly: 0.25 };

function feed(evidence: Evidence, scores: MaskScores, count: number, fromMs = 0, quality = 0.8): number {
  for (let i = 0; i < count; i++) evidence.add({ scores, quality, monotonicMs: fromMs + i * 200 });
  return fromMs + count * 200;
}

describe('Evidence', () => {
  it('knows nothing before the first prediction', () => {
    const evidence = new Evidence();
    expect(evidence.decision()).toBeNull();
    expect(evidence.scores).toEqual(UNKNOWN_SCORES);
    expect(evidence.lastMs).toBe(Number.NEGATIVE_INFINITY);
  });

  it('decides after two clear predictions, not after one', () => {
    const evidence = new Evidence();
    feed(evidence, BARE, 1);
    expect(evidence.decision()).toMatchObject({
      outcome: 'not_assessable',
      reason: 'low_certainty',
      evidenceCount: 1,
    });
    feed(evidence, BARE, 1, 200);
    expect(evidence.decision()).toMatchObject({ outcome: 'without_mask', evidenceCount: 2 });
  });

  it('stays undecided on scores that say nothing', () => {
    const evidence = new Evidence();
    feed(evidence, { with_mask: 1 / 3, without_mask: 1 / 3, mask_worn_incorrectly: 1 / 3 }, 50);
    expect(evidence.decision()).toMatchObject({ outcome: 'not_assessable', reason: 'low_certainty' });
    expect(evidence.scores.with_mask).toBeCloseTo(1 / 3, 9);
  });

  it('adds up weak hints that agree', () => {
    const evidence = new Evidence();
    feed(evidence, { with_mask: 0.25, without_mask: 0.6, mask_worn_incorrectly: 0.15 }, 10);
    expect(evidence.decision()).toMatchObject({ outcome: 'without_mask' });
  });

  it.each([0.2, 0.5, 1])('is not turned by one or two wild predictions (quality %s)', (quality) => {
    const evidence = new Evidence();
    const now = feed(evidence, MASKED, 10, 0, quality);
    feed(evidence, { with_mask: 0, without_mask: 1, mask_worn_incorrectly: 0 }, 1, now, quality);
    expect(evidence.decision()).toMatchObject({ outcome: 'with_mask' });
    feed(evidence, { with_mask: 0, without_mask: 1, mask_worn_incorrectly: 0 }, 1, now + 200, quality);
    expect(evidence.decision()?.outcome).not.toBe('without_mask');
  });

  it.each([0.3, 0.6, 1])('turns within 1.5 s after a mask is put on (quality %s)', (quality) => {
    const evidence = new Evidence();
    // Bare for a minute, looked at once a second.
    for (let i = 0; i < 60; i++) evidence.add({ scores: BARE, quality, monotonicMs: i * 1000 });
    expect(evidence.scores.without_mask).toBeGreaterThan(0.95);
    feed(evidence, MASKED, 7, 60_000, quality);
    expect(evidence.decision()).toMatchObject({ outcome: 'with_mask' });
    expect(evidence.scores.without_mask).toBeLessThan(0.2);
  });

  it('trusts a good crop more than a poor one', () => {
    const [good, poor] = [new Evidence(), new Evidence()];
    feed(good, BARE, 1, 0, 1);
    feed(poor, BARE, 1, 0, 0.1);
    expect(good.scores.without_mask).toBeGreaterThan(poor.scores.without_mask);
    expect(poor.scores.without_mask).toBeGreaterThan(1 / 3);
  });

  it('does not forget a decision, however long nobody looked', () => {
    const evidence = new Evidence();
    const now = feed(evidence, MASKED, 5);
    feed(evidence, UNSURE, 1, now + 3_600_000);
    expect(evidence.decision()).toMatchObject({ outcome: 'with_mask' });
  });

  it('ignores scores that are no scores', () => {
    const evidence = new Evidence();
    feed(evidence, MASKED, 3);
    const before = evidence.scores;
    for (const bad of [0, Number.NaN, Number.POSITIVE_INFINITY]) {
      const scores = { with_mask: bad, without_mask: 0, mask_worn_incorrectly: 0 };
      expect(evidence.add({ scores, quality: 1, monotonicMs: 900 })).toBe(false);
    }
    expect(evidence.scores).toEqual(before);
    expect(evidence.count).toBe(3);
  });

  it('always holds probabilities that add up to one, never 0 or 1', () => {
    const random = seededRandom(17);
    const evidence = new Evidence();
    let nowMs = 0;
    for (let i = 0; i < 2000; i++) {
      const raw = MASK_LABELS.map(() => (random() < 0.2 ? 0 : random() ** 4));
      const total = raw.reduce((a, b) => a + b, 0) || 1;
      const scores = Object.fromEntries(
        MASK_LABELS.map((label, k) => [label, raw[k]! / total]),
      ) as MaskScores;
      nowMs += (random() - 0.1) * 2000;
      evidence.add({ scores, quality: random() * 1.4 - 0.2, monotonicMs: nowMs });
      const values = MASK_LABELS.map((label) => evidence.scores[label]);
      expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
      for (const value of values) {
        expect(value).toBeGreaterThan(0);
        expect(value).toBeLessThan(1);
      }
    }
  });
});
