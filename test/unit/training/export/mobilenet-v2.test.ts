import { describe, expect, it } from 'vitest';
import { layerNames, mobileNetV2, type NamedWeights } from '../../../../src/training/export/mobilenet-v2.js';
import { shapesOf, type WeightTensor } from '../../../../src/training/export/network.js';
import { writeOnnx } from '../../../../src/training/export/onnx-writer.js';
import { largestDifference, randomPixels, runOnnxOnPixels, seededRandom } from './engines.js';
import { runReference } from './reference.js';

/** MobileNetV2 with an eighth of the channels: small enough for the reference in plain loops. */
function smallWeights(): NamedWeights {
  const random = seededRandom(6);
  const weights = new Map<string, WeightTensor>();
  const add = (layer: string, shape: [number, number, number, number], out: number) => {
    const range = 4 / Math.sqrt(shape[0] * shape[1] * (shape[3] === 1 && shape[2] === out ? 1 : shape[2]));
    const tensor = (size: readonly number[], by: number) => ({
      shape: size,
      data: Float32Array.from({ length: size.reduce((a, b) => a * b) }, () => (random() - 0.5) * by),
    });
    weights.set(`${layer}/kernel`, tensor(shape, range));
    weights.set(`${layer}/bias`, tensor([out], 0.5));
  };
  const outs = [2, 3, 3, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 20, 20, 20, 40];
  let channels = 4;
  add('stem', [3, 3, 3, 4], 4);
  for (const [block, out] of outs.entries()) {
    const wide = block === 0 ? channels : channels * 6;
    if (block > 0) add(`block_${block}_expand`, [1, 1, channels, wide], wide);
    add(`block_${block}_depthwise`, [3, 3, wide, 1], wide);
    add(`block_${block}_project`, [1, 1, wide, out], out);
    channels = out;
  }
  add('head', [1, 1, channels, 160], 160);
  return weights;
}

const weights = smallWeights();

describe('MobileNetV2', () => {
  it('has its 52 convolutions in the order of the paper', () => {
    const layers = layerNames();
    expect(layers).toHaveLength(52);
    expect(layers.slice(0, 5)).toEqual([
      'stem',
      'block_0_depthwise',
      'block_0_project',
      'block_1_expand',
      'block_1_depthwise',
    ]);
    const convolutions = mobileNetV2({ weights, sizePx: 224 }).nodes.filter((node) => 'kernel' in node);
    expect(convolutions.map((node) => node.name)).toEqual(layers);
  });

  it.each([
    [224, 'block_0', 112],
    [224, 'block_1', 56],
    [224, 'block_5', 28],
    [224, 'block_12', 14],
    [224, 'head', 7],
    [160, 'block_16', 5],
    [96, 'head', 3],
  ])('at %i px, %s is %i px wide', (sizePx, at, side) => {
    const network = mobileNetV2({ weights, sizePx, at });
    const shape = shapesOf(network).get(network.outputs[0]?.node ?? '');
    expect(shape).toMatchObject({ height: side, width: side });
  });

  it('adds the residual in ten of seventeen blocks', () => {
    const added = mobileNetV2({ weights, sizePx: 96 }).nodes.filter((node) => node.op === 'add');
    expect(added.map((node) => Number(node.name.slice('block_'.length)))).toEqual([
      2, 4, 5, 7, 8, 9, 11, 12, 14, 15,
    ]);
  });

  it.each([
    ['fixed', 64],
    ['dynamic', null],
  ])('computes what its definition says, %s size', async (_title, sizePx) => {
    const network = mobileNetV2({ weights, sizePx });
    const pixels = randomPixels(seededRandom(1), [2, 64, 64, 3]);
    const expected = runReference(network, pixels, [2, 64, 64, 3]).get('features')?.data ?? [];
    const found = await runOnnxOnPixels(writeOnnx(network), pixels, [2, 64, 64, 3]);
    expect(found.get('features')?.shape).toEqual([2, 160]);
    expect(Math.max(...expected)).toBeGreaterThan(0.1);
    expect(largestDifference(found.get('features')?.data ?? [], expected)).toBeLessThan(1e-4);
  });

  it('names the weight that is missing and the node that is not there', () => {
    const fewer = new Map(weights);
    fewer.delete('block_3_project/bias');
    expect(() => mobileNetV2({ weights: fewer, sizePx: 96 })).toThrow(
      expect.objectContaining({
        code: 'EXPORT_WEIGHTS_MISSING',
        message: expect.stringMatching(/block_3_project\/bias/),
      }),
    );
    expect(() => mobileNetV2({ weights, sizePx: 96, at: 'block_17' })).toThrow(/no node block_17/);
  });
});
