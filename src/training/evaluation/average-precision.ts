import type { ScoredDetection } from './judge-pictures.js';

/**
 * Area under the precision-recall curve, precision taken as the highest at this recall or beyond (PASCAL VOC
 * 2010 and later). `labelledCount`: faces that there are to find. 0 when there are none.
 */
export function averagePrecision(detections: readonly ScoredDetection[], labelledCount: number): number {
  if (labelledCount === 0) return 0;
  const ranked = [...detections].sort((a, b) => b.score - a.score);
  const precisions: number[] = [];
  const recalls: number[] = [];
  let right = 0;
  ranked.forEach(({ isOnFace }, index) => {
    if (isOnFace) right++;
    precisions.push(right / (index + 1));
    recalls.push(right / labelledCount);
  });
  let area = 0;
  let best = 0;
  for (let i = ranked.length - 1; i >= 0; i--) {
    best = Math.max(best, precisions[i]!);
    area += best * (recalls[i]! - (i === 0 ? 0 : recalls[i - 1]!));
  }
  return area;
}
