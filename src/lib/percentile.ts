/** The nearest-rank percentile (`share` in (0, 1]) of values sorted upwards; `undefined` when there are none. */
export function percentile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
