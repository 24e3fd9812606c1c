import { describe, expect, it } from 'vitest';
import type { MaskLabel } from '../../../src/domain/label.js';
import type { PreparedPicture } from '../../../src/training/dataset/prepare.js';
import { countByLabel, planSamples } from '../../../src/training/features/sample-plan.js';
import { baseline } from '../../../src/training/recipes/baseline.js';
import { entryFor, type Recipe } from '../../../src/training/recipes/recipe.js';

const landmarks = [0, 1, 2, 3, 4].map((i) => ({ x: i, y: i })) as never;

function picture(dataset: string, faces: readonly [MaskLabel, number][]): PreparedPicture {
  return {
    picture: {
      kind: 'scene',
      path: '/x',
      id: 'x',
      dataset,
      width: 500,
      height: 500,
      faces: [],
      unclassified: [],
      ignored: [],
      notFaces: [],
    },
    print: {
      contentHash: '0',
      perceptual: new Uint32Array(8),
      perceptualMirrored: new Uint32Array(8),
    },
    faces: faces.map(([label, side]) => ({
      label,
      landmarks,
      box: { x: 0, y: 0, width: side, height: side },
    })),
  };
}

const recipe: Recipe = {
  ...baseline,
  sources: {
    'scenes/a': {
      copies: { with_mask: 0, without_mask: 2 },
      painted: { mask_worn_incorrectly: 3 },
      validationLabels: ['without_mask'],
      minFacePx: 10,
      weight: 0.5,
    },
  },
  otherSources: { copies: { with_mask: 1, without_mask: 1, mask_worn_incorrectly: 1 } },
};

describe('planSamples', () => {
  const pictures = [
    picture('scenes/a', [
      ['with_mask', 40],
      ['without_mask', 40],
      ['without_mask', 20],
      ['without_mask', 8],
      ['mask_worn_incorrectly', 40],
    ]),
    picture('other', [['mask_worn_incorrectly', 40]]),
  ];

  it('takes each face plain and in as many copies as its label is given', () => {
    const samples = planSamples(pictures, ['train', 'test'], 'train', recipe);
    // One mask; two bare faces three times each; masks drawn on the larger bare face alone. The smallest face and
    // the label that the recipe does not name stay out.
    expect(countByLabel(samples)).toEqual({ with_mask: 1, without_mask: 6, mask_worn_incorrectly: 3 });
    expect(samples.filter(({ painted }) => painted).every(({ faceIndex }) => faceIndex === 1)).toBe(true);
    expect(
      new Set(samples.map(({ copy, painted, faceIndex }) => `${faceIndex} ${copy} ${painted}`)).size,
    ).toBe(10);
    expect(samples.every(({ weight, painted }) => weight === (painted ? 1 : 0.5))).toBe(true);
  });

  it('validates on plain faces and one copy of each, never on drawn masks', () => {
    const samples = planSamples(pictures, ['validation', 'validation'], 'validation', recipe);
    expect(countByLabel(samples)).toEqual({ with_mask: 0, without_mask: 4, mask_worn_incorrectly: 2 });
    expect(samples.some(({ painted }) => painted)).toBe(false);
  });

  it('opens no other part', () => {
    expect(planSamples(pictures, ['test', 'test'], 'train', recipe)).toEqual([]);
    expect(planSamples(pictures, ['test', 'test'], 'validation', recipe)).toEqual([]);
  });
});

it('finds a rule by both folders or by the last alone', () => {
  expect(entryFor({ 'data/crops': 1, crops: 2 }, 'data/crops')).toBe(1);
  expect(entryFor({ crops: 2 }, 'anywhere/crops')).toBe(2);
  expect(entryFor({ crops: 2 }, 'crops/anywhere')).toBeUndefined();
});
