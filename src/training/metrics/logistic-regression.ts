import { fromLogOdds } from '../../lib/log-odds.js';

const STEPS = 50;
/** Keeps the steps finite where the classes can be told apart without error. */
const RIDGE = 1e-3;

/**
 * Weights of a logistic regression, one per column of `rows` and the bias last, by Newton's method (Hastie, Tibshirani,
 * Friedman, "The Elements of Statistical Learning", 4.4.1) with a ridge of 0.001. `rows` have the same number of
 * columns each; `isPositive` has one entry a row. Throws RangeError without a row, or
 * when fifty steps do not suffice.
 */
export function fitLogisticRegression(
  rows: readonly (readonly number[])[],
  isPositive: readonly boolean[],
): number[] {
  if (rows.length === 0) throw new RangeError('no row to fit');
  const full = rows.map((row) => [...row, 1]);
  const size = full[0]!.length;
  let weights = new Array<number>(size).fill(0);
  for (let step = 0; step < STEPS; step++) {
    const gradient = weights.map((weight) => -RIDGE * weight);
    const curvature = weights.map((_, i) => weights.map((_, j) => (i === j ? RIDGE : 0)));
    for (const [index, row] of full.entries()) {
      const probability = fromLogOdds(dot(weights, row));
      const error = (isPositive[index] ? 1 : 0) - probability;
      const spread = probability * (1 - probability);
      for (let i = 0; i < size; i++) {
        gradient[i]! += error * row[i]!;
        for (let j = 0; j < size; j++) curvature[i]![j]! += spread * row[i]! * row[j]!;
      }
    }
    const change = solve(curvature, gradient);
    weights = weights.map((weight, i) => weight + change[i]!);
    if (Math.max(...change.map(Math.abs)) < 1e-8) return weights;
  }
  throw new RangeError(`no end after ${STEPS} steps`);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Gauss's elimination with the largest pivot; the matrix is positive definite. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let i = column + 1; i < size; i++)
      if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let i = 0; i < size; i++) {
      if (i === column) continue;
      const share = rows[i]![column]! / rows[column]![column]!;
      for (let j = column; j <= size; j++) rows[i]![j]! -= share * rows[column]![j]!;
    }
  }
  return rows.map((row, i) => row[size]! / row[i]!);
}
