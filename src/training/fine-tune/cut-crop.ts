import { extractCrop } from '../../crops/extract.js';
import { leanToTakeBack, rollDegrees } from '../../crops/head-pose.js';
import { seededRandom } from '../../lib/random.js';
import { degradeFace } from '../augment/degrade.js';
import { jitterBox } from '../augment/jitter.js';
import { motionBlur } from '../augment/motion-blur.js';
import { paintMask } from '../augment/paint-mask.js';
import { recolour } from '../augment/recolour.js';
import type { RgbPicture } from '../dataset/rgb-picture.js';
import type { CutAugmentation } from '../recipes/fine-tune-recipe.js';
import type { CropSource } from './crop-sources.js';

export interface CutRules {
  readonly inputPx: number;
  readonly marginRatio: number;
  /** As in the recipe. */
  readonly uprightFromDegrees: number | null;
  readonly cut: CutAugmentation;
}

/** What the cutting of one place depends on, beside the picture. */
export type CutPlace = Pick<CropSource, 'box' | 'labelledBox' | 'landmarks' | 'painted' | 'variants'>;

/**
 * All variants of one place, one after the other: `variants · inputPx² · 3` bytes of rgb24 into `target`. The same
 * `seed` gives the same bytes. Heads lean as they do, and by chance further: what is learned must not depend on landmarks.
 */
export async function cutVariants(
  picture: RgbPicture,
  place: CutPlace,
  rules: CutRules,
  seed: string,
  target: Uint8Array,
): Promise<void> {
  const cropBytes = rules.inputPx ** 2 * 3;
  for (let variant = 0; variant < place.variants; variant++)
    await cutOne(
      picture,
      place,
      rules,
      `${seed}:${variant}`,
      target.subarray(variant * cropBytes, (variant + 1) * cropBytes),
    );
}

/** The crop as the product cuts it. */
export function cutPlain(
  picture: RgbPicture,
  { box, landmarks }: CutPlace,
  rules: CutRules,
  target: Uint8Array,
): void {
  const { inputPx, marginRatio, uprightFromDegrees } = rules;
  const lean = landmarks ? rollDegrees(landmarks) : undefined;
  extractCrop(
    picture,
    box,
    { sizePx: inputPx, marginRatio, rollDegrees: leanToTakeBack(lean, uprightFromDegrees) },
    target,
  );
}

async function cutOne(
  picture: RgbPicture,
  { box, labelledBox, landmarks, painted }: CutPlace,
  { inputPx, marginRatio, cut }: CutRules,
  seed: string,
  target: Uint8Array,
): Promise<void> {
  const random = seededRandom(seed);
  const geometry = { sizePx: inputPx, marginRatio };
  const source = painted && landmarks ? await paintMask(picture, landmarks, painted, random) : picture;
  if (random.chance(cut.plainChance)) {
    extractCrop(source, box, geometry, target);
    return;
  }
  const chosen = labelledBox && random.chance(cut.labelledBoxChance) ? labelledBox : box;
  let face = { picture: source, box: jitterBox(chosen, cut.jitter, random) };
  if (random.chance(cut.degradeChance)) face = await degradeFace(face, cut.degrade, random);
  const { chance, maxDegrees } = cut.rotation;
  const turned = random.chance(chance) ? random.between(-maxDegrees, maxDegrees) : 0;
  extractCrop(face.picture, face.box, { ...geometry, rollDegrees: turned }, target);
  if (random.chance(cut.motionBlur.chance))
    motionBlur(
      target,
      inputPx,
      random.between(0.02, Math.max(0.02, cut.motionBlur.maxShare)) * inputPx,
      random,
    );
  if (random.chance(cut.recolourChance)) recolour(target, cut.recolour, random);
}
