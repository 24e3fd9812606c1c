import { seededRandom } from '../../lib/random.js';

/** Ends of a confidence interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly resamples: number;
  /** Coverage, e.g. 0.95. */
  readonly level: number;
  readonly seed: number | string;
}

export const BOOTSTRAP: BootstrapOptions = { resamples: 1000, level: 0.95, seed: 'maskwatch-bootstrap' };

/**
 * Percentile bootstrap (Efron, 1979) over groups: whole groups are drawn with replacement, as the faces of one
 * picture are not independent of each other. `tallies`: one vector of sums per group, all of one length;
 * `figuresOf` turns the sum over the drawn groups into figures; NaN among them is left out. Returns an interval
 * per figure, NaN at both ends where there is none. The same seed gives the same intervals.
 */
export function bootstrapIntervals(
  tallies: readonly Float64Array[],
  figuresOf: (sum: Float64Array) => readonly number[],
  { resamples, level, seed }: BootstrapOptions = BOOTSTRAP,
): Interval[] {
  const length = tallies[0]?.length ?? 0;
  if (length === 0) return [];
  const random = seededRandom(seed);
  const drawn: number[][] = [];
  const sum = new Float64Array(length);
  for (let i = 0; i < resamples; i++) {
    sum.fill(0);
    for (let j = 0; j < tallies.length; j++) addTo(sum, tallies[random.index(tallies.length)]!);
    figuresOf(sum).forEach((figure, k) => {
      drawn[k] ??= [];
      if (!Number.isNaN(figure)) drawn[k].push(figure);
    });
  }
  const tail = (1 - level) / 2;
  return drawn.map((values) => {
    const sorted = Float64Array.from(values).sort();
    return { low: quantileOf(sorted, tail), high: quantileOf(sorted, 1 - tail) };
  });
}

/** Adds `values` to `sum` in place. */
export function addTo(sum: Float64Array, values: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
}

/** Linear interpolation between the order statistics; NaN of nothing. `sorted` rises. */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below]!;
  const high = sorted[Math.min(sorted.length - 1, below + 1)]!;
  return low + (high - low) * (at - below);
}

/** Wilson's score interval of a share (E. B. Wilson, JASA 22, 1927); 95 % with the default z. */
export function wilsonInterval(count: number, total: number, z = 1.959964): Interval {
  if (total === 0) return { low: 0, high: 1 };
  const share = count / total;
  const spread = z * Math.sqrt((share * (1 - share)) / total + (z * z) / (4 * total * total));
  const middle = share + (z * z) / (2 * total);
  const scale = 1 + (z * z) / total;
  return { low: Math.max(0, (middle - spread) / scale), high: Math.min(1, (middle + spread) / scale) };
}
