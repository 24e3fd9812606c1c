import { describe, expect, it } from 'vitest';
import { fromLogOdds } from '../../../../src/lib/log-odds.js';
import { seededRandom } from '../../../../src/lib/random.js';
import { fitLogisticRegression } from '../../../../src/training/metrics/logistic-regression.js';

describe('fitLogisticRegression', () => {
  it('finds the weights that the data were drawn with', () => {
    const random = seededRandom('regression');
    const rows = Array.from({ length: 20_000 }, () => [random.between(-3, 3), random.between(-3, 3)]);
    const isPositive = rows.map(([a, b]) => random.chance(fromLogOdds(1.2 * a! - 0.7 * b! + 0.4)));
    const [first, second, bias] = fitLogisticRegression(rows, isPositive);
    expect(first).toBeCloseTo(1.2, 1);
    expect(second).toBeCloseTo(-0.7, 1);
    expect(bias).toBeCloseTo(0.4, 1);
  });

  it('gives the log odds of the share where there is no column', () => {
    const [bias] = fitLogisticRegression(
      Array.from({ length: 4 }, () => []),
      [true, true, true, false],
    );
    expect(bias).toBeCloseTo(Math.log(3), 2);
  });

  it('stays finite where a column tells the classes apart without error', () => {
    const weights = fitLogisticRegression([[-2], [-1], [1], [2]], [false, false, true, true]);
    expect(weights.every(Number.isFinite)).toBe(true);
    expect(weights[0]).toBeGreaterThan(1);
  });

  it('refuses to fit nothing', () => {
    expect(() => fitLogisticRegression([], [])).toThrow(RangeError);
  });
});
