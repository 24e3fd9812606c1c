import { describe, expect, it } from 'vitest';
import type { CropSource, CropTarget } from '../../../../src/training/fine-tune/crop-sources.js';
import { drawEpoch } from '../../../../src/training/fine-tune/sampler.js';
import { production } from '../../../../src/training/recipes/production.js';

const source = (target: CropTarget, weight: number, variants = 3): CropSource => ({
  pictureIndex: 0,
  target,
  box: { x: 0, y: 0, width: 10, height: 10 },
  labelledBox: null,
  landmarks: null,
  weight,
  variants,
  group: 'scenes/x',
});
const sources = [
  ...Array.from({ length: 40 }, () => source('with_mask', 1)),
  ...Array.from({ length: 10 }, () => source('with_mask', 4)),
  ...Array.from({ length: 5 }, () => source('mask_worn_incorrectly', 1, 20)),
  ...Array.from({ length: 30 }, () => source('not_a_face', 1)),
];
const shares = {
  with_mask: 0.5,
  without_mask: 0.2,
  mask_worn_incorrectly: 0.1,
  unclassified: 0,
  not_a_face: 0.2,
};

describe('drawEpoch', () => {
  const draws = drawEpoch(sources, shares, 800, 'seed:1');
  const countOf = (target: CropTarget) =>
    draws.filter(({ sourceIndex }) => sources[sourceIndex]!.target === target).length;

  it('gives targets their shares, those of absent ones spread over the others', () => {
    expect(draws).toHaveLength(800);
    expect(countOf('with_mask')).toBeCloseTo(500, -1);
    expect(countOf('mask_worn_incorrectly')).toBeCloseTo(100, -1);
    expect(countOf('not_a_face')).toBeCloseTo(200, -1);
  });

  it('draws places by their weight, none of them left out', () => {
    const perSource = sources.map((_, index) => draws.filter((draw) => draw.sourceIndex === index).length);
    for (const count of perSource.slice(0, 40)) expect([6, 7]).toContain(count);
    for (const count of perSource.slice(40, 50)) expect([25, 26]).toContain(count);
  });

  it('draws only variants that were cut, and different ones', () => {
    for (const { sourceIndex, variant } of draws)
      expect(variant).toBeLessThan(sources[sourceIndex]!.variants);
    expect(new Set(draws.filter((d) => d.sourceIndex === 50).map((d) => d.variant)).size).toBeGreaterThan(8);
  });

  it('draws the same with the same seed, other things with another', () => {
    expect(drawEpoch(sources, shares, 800, 'seed:1')).toEqual(draws);
    expect(drawEpoch(sources, shares, 800, 'seed:2')).not.toEqual(draws);
  });

  it('refuses to draw from nothing', () => {
    expect(() => drawEpoch([], production.sampling, 8, 's')).toThrow(/nothing to train on/);
  });
});
