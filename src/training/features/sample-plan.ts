import { MASK_LABELS, type MaskLabel } from '../../domain/label.js';
import type { PaintedLabel } from '../augment/paint-mask.js';
import type { PreparedPicture } from '../dataset/prepare.js';
import type { SplitPart } from '../dataset/split.js';
import { entryFor, type Recipe } from '../recipes/recipe.js';

/** One training or validation sample: a face, plain (`copy` 0) or changed. */
export interface PlannedSample {
  readonly pictureIndex: number;
  readonly faceIndex: number;
  readonly copy: number;
  readonly labelIndex: number;
  /** A bare face on which a mask is drawn. */
  readonly painted?: PaintedLabel;
  readonly weight: number;
  /** Shorter side of the face in its picture, pixels. */
  readonly facePx: number;
}

const PAINTED_LABELS: readonly PaintedLabel[] = ['with_mask', 'mask_worn_incorrectly'];
/** On smaller faces the landmarks are too coarse to draw by. */
const MIN_PAINTED_PX = 28;

/**
 * What to cut: every face of the `train` part plain and in as many changed copies as the recipe says; of the
 * `validation` part every face plain, and once changed so that small and dark faces are judged too.
 * Samples of one picture stand together.
 */
export function planSamples(
  pictures: readonly PreparedPicture[],
  parts: readonly SplitPart[],
  part: 'train' | 'validation',
  recipe: Recipe,
): PlannedSample[] {
  const samples: PlannedSample[] = [];
  pictures.forEach(({ picture, faces }, pictureIndex) => {
    if (parts[pictureIndex] !== part) return;
    const rule = entryFor(recipe.sources, picture.dataset) ?? recipe.otherSources;
    faces.forEach(({ label, box, landmarks }, faceIndex) => {
      const copies = rule.copies[label];
      const facePx = Math.min(box.width, box.height);
      if (copies === undefined || facePx < (rule.minFacePx ?? 0)) return;
      if (part === 'validation' && rule.validationLabels?.includes(label) === false) return;
      const count = part === 'train' ? copies : 1;
      for (let copy = 0; copy <= count; copy++)
        samples.push({
          pictureIndex,
          faceIndex,
          copy,
          labelIndex: MASK_LABELS.indexOf(label),
          weight: rule.weight ?? 1,
          facePx,
        });
      if (part !== 'train' || label !== 'without_mask' || !landmarks || facePx < MIN_PAINTED_PX) return;
      for (const painted of PAINTED_LABELS)
        for (let copy = 1; copy <= (rule.painted?.[painted] ?? 0); copy++)
          samples.push({
            pictureIndex,
            faceIndex,
            copy,
            painted,
            labelIndex: MASK_LABELS.indexOf(painted),
            weight: rule.paintedWeight ?? 1,
            facePx,
          });
    });
  });
  return samples;
}

export function countByLabel(samples: readonly { labelIndex: number }[]): Record<MaskLabel, number> {
  const counts: Record<MaskLabel, number> = { with_mask: 0, without_mask: 0, mask_worn_incorrectly: 0 };
  for (const { labelIndex } of samples) counts[MASK_LABELS[labelIndex]!]++;
  return counts;
}
