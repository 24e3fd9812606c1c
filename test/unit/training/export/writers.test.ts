import { describe, expect, it } from 'vitest';
import { loadNativeTensorFlow } from '../../../../src/inference/tfjs-native.js';
import type { Network, NetworkNode } from '../../../../src/training/export/network.js';
import { writeOnnx } from '../../../../src/training/export/onnx-writer.js';
import { writeTfjs } from '../../../../src/training/export/tfjs-writer.js';
import {
  largestDifference,
  type Outputs,
  randomPixels,
  randomTensor,
  runOnnxOnPixels,
  runSavedModel,
  runTfjs,
  seededRandom,
} from './engines.js';
import { runReference } from './reference.js';

const { native } = await loadNativeTensorFlow({ threads: 1 });

/** Every operation once, with both kinds of convolution at stride 2 under TensorFlow's SAME. */
function everyOperation(heightPx: number | null, widthPx: number | null, isFlat: boolean): Network {
  const random = seededRandom(7);
  const conv = (
    name: string,
    input: string,
    op: 'conv' | 'depthwise-conv',
    shape: readonly [number, number, number, number],
    rest: Partial<
      Pick<Extract<NetworkNode, { op: 'conv' | 'depthwise-conv' }>, 'stride' | 'padding' | 'activation'>
    >,
  ): NetworkNode => ({
    op,
    name,
    input,
    kernel: randomTensor(random, shape),
    bias: randomTensor(random, [op === 'conv' ? shape[3] : shape[2]]),
    stride: 1,
    padding: 'same',
    activation: 'none',
    ...rest,
  });
  const nodes: NetworkNode[] = [
    { op: 'input', name: 'picture', heightPx, widthPx },
    { op: 'normalise', name: 'normalised', input: 'picture', scale: 1 / 127.5, offset: -1 },
    conv('stem', 'normalised', 'conv', [3, 3, 3, 8], { stride: 2, activation: 'relu6' }),
    conv('deep', 'stem', 'depthwise-conv', [3, 3, 8, 1], { stride: 2, activation: 'relu' }),
    conv('wide', 'deep', 'conv', [5, 3, 8, 6], {}),
    conv('shifted', 'wide', 'conv', [3, 3, 6, 4], { padding: { top: 2, left: 0, bottom: 1, right: 1 } }),
    conv('shrunk', 'shifted', 'depthwise-conv', [2, 2, 4, 1], { padding: 'valid' }),
    { op: 'max-pool', name: 'pool', input: 'wide' },
    { op: 'upsample', name: 'grown', input: 'pool' },
    conv('squeezed', 'grown', 'conv', [1, 1, 6, 6], { activation: 'relu' }),
    { op: 'add', name: 'sum', inputs: ['grown', 'squeezed'] },
    { op: 'concat', name: 'both', inputs: ['sum', 'grown'] },
    { op: 'slice-channels', name: 'middle', input: 'both', from: 4, count: 5 },
    { op: 'sigmoid', name: 'sure', input: 'middle' },
    { op: isFlat ? 'flatten' : 'mean', name: 'vector', input: 'shrunk' },
  ];
  const features = isFlat ? 4 * 2 * 4 : 4;
  nodes.push(
    {
      op: 'dense',
      name: 'hidden',
      input: 'vector',
      kernel: randomTensor(random, [features, 7]),
      bias: randomTensor(random, [7]),
      activation: 'relu',
    },
    {
      op: 'dense',
      name: 'logits',
      input: 'hidden',
      kernel: randomTensor(random, [7, 3], 4),
      bias: randomTensor(random, [3]),
      activation: 'none',
    },
    { op: 'softmax', name: 'softmax', input: 'logits' },
  );
  const outputs = [
    { name: 'scores', node: 'softmax' },
    { name: 'map', node: 'sure' },
    { name: 'edges', node: 'shrunk' },
  ];
  return { name: 'every-operation', nodes, outputs };
}

const cases = [
  { title: 'fixed even size', network: everyOperation(16, 16, true), shape: [2, 16, 16, 3] },
  { title: 'fixed odd size', network: everyOperation(15, 13, true), shape: [1, 15, 13, 3] },
  { title: 'dynamic size, even', network: everyOperation(null, null, false), shape: [2, 32, 48, 3] },
  { title: 'dynamic size, odd', network: everyOperation(null, null, false), shape: [1, 29, 47, 3] },
];

describe.each(cases)('both forms compute what the network says: $title', ({ network, shape }) => {
  const pixels = randomPixels(seededRandom(3), shape);
  const expected = runReference(network, pixels, shape);
  const runs = {
    'ONNX Runtime': () => runOnnxOnPixels(writeOnnx(network), pixels, shape),
    'TensorFlow.js cpu': () => runTfjs(writeTfjs(network), 'cpu', pixels, shape),
    'TensorFlow.js wasm': () => runTfjs(writeTfjs(network), 'wasm', pixels, shape),
  };
  const check = (outputs: Outputs) => {
    expect([...outputs.keys()].sort()).toEqual(['edges', 'map', 'scores']);
    for (const [name, { data, batch, height, width, channels }] of expected) {
      const found = outputs.get(name);
      expect(found?.shape).toEqual(name === 'scores' ? [batch, channels] : [batch, height, width, channels]);
      expect(largestDifference(found?.data ?? [], data), name).toBeLessThan(1e-4);
    }
  };
  it.each(Object.entries(runs))('%s', async (_engine, run) => check(await run()));
  it.skipIf(!native)('frozen SavedModel (needs native TensorFlow.js)', async () => {
    check(await runSavedModel(native!.tf, writeTfjs(network), pixels, shape));
    check(await runSavedModel(native!.tf, writeTfjs(network, { isCompact: true }), pixels, shape));
  });
});

describe('compact weights', () => {
  const random = seededRandom(11);
  /** One layer on the 256 levels of a quantised model, one that is not. */
  const network: Network = {
    name: 'compact',
    nodes: [
      { op: 'input', name: 'picture', heightPx: 8, widthPx: 8 },
      { op: 'normalise', name: 'normalised', input: 'picture', scale: 1 / 255, offset: 0 },
      {
        op: 'conv',
        name: 'levels',
        input: 'normalised',
        kernel: {
          shape: [3, 3, 3, 96],
          data: Float32Array.from({ length: 2592 }, () => Math.floor(random() * 256) * 0.011 - 1.3),
        },
        bias: randomTensor(random, [96]),
        stride: 1,
        padding: 'same',
        activation: 'relu',
      },
      {
        op: 'conv',
        name: 'halves',
        input: 'levels',
        kernel: randomTensor(random, [1, 1, 96, 32], 0.2),
        bias: randomTensor(random, [32]),
        stride: 1,
        padding: 'same',
        activation: 'none',
      },
    ],
    outputs: [
      { name: 'first', node: 'levels' },
      { name: 'second', node: 'halves' },
    ],
  };
  const shape = [2, 8, 8, 3];
  const pixels = randomPixels(random, shape);

  it('makes both files smaller', () => {
    const isCompact = true;
    expect(writeOnnx(network, { isCompact }).length).toBeLessThan(writeOnnx(network).length * 0.6);
    expect(writeTfjs(network, { isCompact }).weights.length).toBeLessThan(
      writeTfjs(network).weights.length * 0.6,
    );
  });

  it('gives the same numbers in both engines, and quantised layers lose nothing', async () => {
    const expected = runReference(network, pixels, shape);
    const onnx = await runOnnxOnPixels(writeOnnx(network, { isCompact: true }), pixels, shape);
    const tfjs = await runTfjs(writeTfjs(network, { isCompact: true }), 'wasm', pixels, shape);
    const get = (outputs: typeof onnx, name: string) => outputs.get(name)?.data ?? [];
    expect(largestDifference(get(onnx, 'first'), expected.get('first')?.data ?? [])).toBeLessThan(1e-4);
    expect(largestDifference(get(tfjs, 'first'), get(onnx, 'first'))).toBeLessThan(1e-4);
    expect(largestDifference(get(tfjs, 'second'), get(onnx, 'second'))).toBeLessThan(1e-4);
    expect(largestDifference(get(onnx, 'second'), expected.get('second')?.data ?? [])).toBeLessThan(0.02);
  });
});
