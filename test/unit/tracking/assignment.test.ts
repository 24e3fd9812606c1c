import { describe, expect, it } from 'vitest';
import { assign } from '../../../src/tracking/assignment.js';
import { seededRandom } from './make-face.js';

const FORBIDDEN = Number.POSITIVE_INFINITY;

function totalCost(
  cost: readonly (readonly number[])[],
  columnOfRow: ArrayLike<number>,
  unassignedCost: number,
): number {
  return Array.from(columnOfRow).reduce(
    (sum, column, row) => sum + (column < 0 ? unassignedCost : cost[row]![column]!),
    0,
  );
}

/** Tries everything. */
function bestCost(cost: readonly (readonly number[])[], unassignedCost: number): number {
  const columns = cost[0]?.length ?? 0;
  const search = (row: number, used: ReadonlySet<number>): number => {
    if (row === cost.length) return 0;
    let best = unassignedCost + search(row + 1, used);
    for (let column = 0; column < columns; column++) {
      const own = cost[row]![column]!;
      if (used.has(column) || !Number.isFinite(own)) continue;
      best = Math.min(best, own + search(row + 1, new Set([...used, column])));
    }
    return best;
  };
  return search(0, new Set());
}

const solve = (cost: readonly (readonly number[])[], unassignedCost: number) =>
  assign(Float64Array.from(cost.flat()), cost.length, cost[0]?.length ?? 0, unassignedCost);

describe('assign', () => {
  it('prefers the cheapest whole to the cheapest pair', () => {
    expect([
      ...solve(
        [
          [1, 2],
          [1.5, 9],
        ],
        100,
      ),
    ]).toEqual([1, 0]);
  });

  it('leaves a row alone rather than push another to a worse column', () => {
    expect([
      ...solve(
        [
          [0, 8],
          [8, FORBIDDEN],
        ],
        9,
      ),
    ]).toEqual([0, -1]);
  });

  it('never makes a forbidden pair', () => {
    expect([...solve([[FORBIDDEN, FORBIDDEN]], 1e9)]).toEqual([-1]);
  });

  it('handles no rows and no columns', () => {
    expect([...assign(new Float64Array(0), 0, 3, 1)]).toEqual([]);
    expect([...assign(new Float64Array(0), 3, 0, 1)]).toEqual([-1, -1, -1]);
  });

  it('takes negative costs', () => {
    expect([...solve([[-5, -1]], 0)]).toEqual([0]);
  });

  it('is as good as trying everything, and uses no column twice', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 400; round++) {
      const rows = Math.floor(random() * 6);
      const columns = Math.floor(random() * 6);
      const cost = Array.from({ length: rows }, () =>
        Array.from({ length: columns }, () => (random() < 0.3 ? FORBIDDEN : random() * 20 - 5)),
      );
      const unassignedCost = random() * 15;
      const columnOfRow = solve(cost, unassignedCost);
      const used = [...columnOfRow].filter((column) => column >= 0);
      expect(new Set(used).size).toBe(used.length);
      expect(totalCost(cost, columnOfRow, unassignedCost)).toBeCloseTo(bestCost(cost, unassignedCost), 9);
    }
  });

  it('says so when a cost is not a number', () => {
    expect(() => assign(new Float64Array([Number.NaN]), 1, 1, Number.NaN)).toThrow(RangeError);
  });
});
