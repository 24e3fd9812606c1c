import { describe, expect, it } from 'vitest';
import { extractCrop } from '../../../../src/crops/extract.js';
import { rollDegrees } from '../../../../src/crops/head-pose.js';
import type { Landmarks } from '../../../../src/domain/face.js';
import type { RgbPicture } from '../../../../src/training/dataset/rgb-picture.js';
import {
  type CutPlace,
  type CutRules,
  cutPlain,
  cutVariants,
} from '../../../../src/training/fine-tune/cut-crop.js';
import { production } from '../../../../src/training/recipes/production.js';
import { noisePicture } from '../../../support/tiny-models.js';

const noise = noisePicture(120, 100, 4);
const picture: RgbPicture = { ...noise, data: new Uint8Array(noise.buffer) };
const box = { x: 40, y: 30, width: 36, height: 44 };
/** A head that leans by 45° to the picture's right. */
const landmarks: Landmarks = [
  { x: 52, y: 40 },
  { x: 62, y: 50 },
  { x: 52, y: 54 },
  { x: 44, y: 51 },
  { x: 52, y: 59 },
];
const place: CutPlace = { box, labelledBox: null, landmarks, variants: 1 };
const rules: CutRules = {
  ...{ inputPx: 32, marginRatio: 0.4, uprightFromDegrees: 8 },
  cut: { ...production.cut, plainChance: 1 },
};

function cutBy(rollDegrees: number): Uint8Array {
  const crop = new Uint8Array(32 * 32 * 3);
  extractCrop(picture, box, { sizePx: 32, marginRatio: 0.4, rollDegrees }, crop);
  return crop;
}

describe('crops', () => {
  it('show heads upright where a model is validated, as the service does', () => {
    const lean = rollDegrees(landmarks);
    expect(Math.abs(lean - 45)).toBeLessThan(3);
    const plain = new Uint8Array(32 * 32 * 3);
    cutPlain(picture, place, rules, plain);
    expect(plain).toEqual(cutBy(lean));
    cutPlain(picture, place, { ...rules, uprightFromDegrees: 50 }, plain);
    expect(plain).toEqual(cutBy(0));
    cutPlain(picture, { ...place, landmarks: null }, rules, plain);
    expect(plain).toEqual(cutBy(0));
  });

  it('show heads as they lean in training, and by chance further, as far as the recipe says', async () => {
    const turning = (maxDegrees: number) => ({
      ...rules.cut,
      ...{ plainChance: 0, degradeChance: 0, recolourChance: 0, jitter: { shift: 0, logScale: 0 } },
      ...{ motionBlur: { chance: 0, maxShare: 0 }, rotation: { chance: 1, maxDegrees } },
    });
    const off = (crop: Uint8Array, other: Uint8Array) =>
      crop.reduce((sum, value, index) => sum + Math.abs(value - other[index]!), 0) / crop.length;
    const variant = new Uint8Array(32 * 32 * 3);
    for (const seed of ['a', 'b', 'c']) {
      await cutVariants(picture, place, { ...rules, cut: turning(20) }, seed, variant);
      const angles = Array.from({ length: 401 }, (_, index) => index / 10 - 20);
      const best = Math.min(...angles.map((angle) => off(variant, cutBy(angle))));
      expect(best).toBeLessThan(0.5);
      expect(off(variant, cutBy(0))).toBeGreaterThan(2 * best);
    }
    await cutVariants(picture, place, { ...rules, cut: turning(0) }, 'a', variant);
    expect(variant).toEqual(cutBy(0));
    await cutVariants(picture, place, rules, 'a', variant);
    expect(variant).toEqual(cutBy(0));
  });
});
