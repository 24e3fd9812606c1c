import { type CropGeometry, extractCrop } from '../../crops/extract.js';
import { flipHorizontally } from '../../crops/mirror.js';
import type { Box } from '../../domain/box.js';
import type { Random } from '../../lib/random.js';
import { turnSquare } from '../../lib/turn-square.js';
import type { RgbPicture } from '../dataset/rgb-picture.js';
import { type DegradeRange, degradeFace } from './degrade.js';
import { type JitterRange, jitterBox } from './jitter.js';
import { type RecolourRange, recolour } from './recolour.js';

export interface Augmentation {
  readonly jitter: JitterRange;
  readonly degradeChance: number;
  readonly degrade: DegradeRange;
  readonly recolourChance: number;
  readonly recolour: RecolourRange;
  /** Greatest turn, degrees either way. */
  readonly maxRotationDegrees: number;
}

/** One changed copy of a face, cut as the running service cuts: `sizePx² · 3` bytes of rgb24 in `target`. */
export async function cutVariant(
  picture: RgbPicture,
  box: Box,
  geometry: CropGeometry,
  augmentation: Augmentation,
  random: Random,
  target: Uint8Array,
): Promise<void> {
  let face = { picture, box: jitterBox(box, augmentation.jitter, random) };
  if (random.chance(augmentation.degradeChance)) face = await degradeFace(face, augmentation.degrade, random);
  extractCrop(face.picture, face.box, geometry, target);
  if (random.chance(0.5)) flipHorizontally(target, geometry.sizePx, geometry.sizePx);
  if (augmentation.maxRotationDegrees > 0 && random.chance(0.5)) {
    const degrees = random.between(-augmentation.maxRotationDegrees, augmentation.maxRotationDegrees);
    const { sizePx: sidePx } = geometry;
    turnSquare({ data: target.slice(), sidePx }, degrees, { data: target, sidePx });
  }
  if (random.chance(augmentation.recolourChance)) recolour(target, augmentation.recolour, random);
}
