import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { modelsDir } from '../../../../src/lib/package-paths.js';
import {
  mobileNetV2,
  type NamedWeights,
  readBackboneWeights,
} from '../../../../src/training/export/mobilenet-v2.js';
import { shapesOf } from '../../../../src/training/export/network.js';
import { narrowWeights } from '../../../../src/training/fine-tune/narrow-weights.js';

describe('narrowWeights', () => {
  let weights: NamedWeights;
  beforeAll(async () => {
    weights = await readBackboneWeights(join(modelsDir(), 'imagenet-mobilenetv2'));
  });

  it('gives a network whose shapes fit, with fewer channels', () => {
    const shapes = shapesOf(mobileNetV2({ weights: narrowWeights(weights, 0.5), sizePx: 96, at: 'pooled' }));
    expect(shapes.get('stem')).toMatchObject({ channels: 16 });
    expect(shapes.get('block_16_project')).toMatchObject({ channels: 160 });
    expect(shapes.get('pooled')).toEqual({ kind: 'vector', channels: 1280 });
  });

  it('keeps the strongest channels with their own weights', () => {
    const kept = narrowWeights(weights, 0.75).get('stem/bias')!.data;
    const whole = weights.get('stem/bias')!.data;
    expect(kept).toHaveLength(24);
    expect([...kept].every((value) => whole.includes(value))).toBe(true);
    const kernel = weights.get('stem/kernel')!.data;
    const strength = Array.from(whole, (_, channel) =>
      kernel.reduce((sum, value, i) => sum + (i % 32 === channel ? value * value : 0), 0),
    );
    const weakest = strength.indexOf(Math.min(...strength));
    expect([...kept]).not.toContain(whole[weakest]);
  });

  it('leaves full width as it is', () => {
    expect(narrowWeights(weights, 1)).toBe(weights);
  });
});
