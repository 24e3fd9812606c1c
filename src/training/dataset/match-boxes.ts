import { type Box, iou } from '../../domain/box.js';

/** A labelled box and a detected box speak of the same face from this IoU on. */
export const MATCH_IOU = 0.35;

/**
 * Pairs labelled with detected boxes, best overlap first, each used once. Returns for each labelled box the index
 * of its detection, or null.
 */
export function matchBoxes(
  labelled: readonly Box[],
  detected: readonly Box[],
  minIou = MATCH_IOU,
): (number | null)[] {
  const pairs = labelled.flatMap((box, labelledIndex) =>
    detected.flatMap((other, detectedIndex) => {
      const overlap = iou(box, other);
      return overlap >= minIou ? [{ labelledIndex, detectedIndex, overlap }] : [];
    }),
  );
  const matches: (number | null)[] = labelled.map(() => null);
  const taken = new Set<number>();
  for (const { labelledIndex, detectedIndex } of pairs.sort((a, b) => b.overlap - a.overlap)) {
    if (matches[labelledIndex] !== null || taken.has(detectedIndex)) continue;
    matches[labelledIndex] = detectedIndex;
    taken.add(detectedIndex);
  }
  return matches;
}
