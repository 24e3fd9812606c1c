/** A larger batch must be better by more than this share: it costs every crop in it the wait for all. */
const TOLERANCE = 0.05;

/**
 * The batch size to work with, from measured times of whole batches, ms by size: the smallest whose time per crop
 * is within 5 % of the best. On one CPU core that is 1 or a little more, on a GPU the largest measured.
 * 1 when nothing (valid) was measured.
 */
export function chooseBatchSize(classifyMsByBatch: Readonly<Record<number, number>>): number {
  const perCrop = Object.entries(classifyMsByBatch)
    .map(([size, ms]) => ({ size: Number(size), ms: ms / Number(size) }))
    .filter(({ size, ms }) => Number.isInteger(size) && size > 0 && Number.isFinite(ms) && ms >= 0)
    .sort((a, b) => a.size - b.size);
  const bestMs = Math.min(...perCrop.map(({ ms }) => ms));
  return perCrop.find(({ ms }) => ms <= bestMs * (1 + TOLERANCE))?.size ?? 1;
}
