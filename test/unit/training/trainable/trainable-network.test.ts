import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients.
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadNativeTensorFlow } from '../../../../src/inference/tfjs-native.js';
import type { Network, NetworkNode } from '../../../../src/training/export/network.js';
import { TrainableNetwork } from '../../../../src/training/trainable/trainable-network.js';
import { largestDifference, randomPixels, randomTensor, seededRandom } from '../export/engines.js';
import { runReference } from '../export/reference.js';

const { native } = await loadNativeTensorFlow({ threads: 1 });

function smallNetwork(): Network {
  const random = seededRandom(5);
  const conv = (
    name: string,
    input: string,
    op: 'conv' | 'depthwise-conv',
    shape: readonly [number, number, number, number],
    rest: Partial<Extract<NetworkNode, { op: 'conv' | 'depthwise-conv' }>> = {},
  ): NetworkNode => ({
    op,
    name,
    input,
    kernel: randomTensor(random, shape),
    bias: randomTensor(random, [op === 'conv' ? shape[3] : shape[2]]),
    stride: 1,
    padding: 'same',
    activation: 'relu6',
    ...rest,
  });
  return {
    name: 'small',
    nodes: [
      { op: 'input', name: 'picture', heightPx: 12, widthPx: 12 },
      { op: 'normalise', name: 'normalised', input: 'picture', scale: 1 / 20, offset: -1 },
      conv('stem', 'normalised', 'conv', [3, 3, 3, 4], { stride: 2 }),
      conv('wide', 'stem', 'conv', [1, 1, 4, 6], { activation: 'relu' }),
      conv('deep', 'wide', 'depthwise-conv', [3, 3, 6, 1], {
        stride: 2,
        padding: { top: 1, left: 1, bottom: 1, right: 1 },
      }),
      { op: 'upsample', name: 'grown', input: 'deep' },
      conv('back', 'grown', 'conv', [3, 3, 6, 6]),
      { op: 'add', name: 'sum', inputs: ['back', 'wide'] },
      { op: 'concat', name: 'both', inputs: ['sum', 'grown'] },
      { op: 'max-pool', name: 'pool', input: 'both' },
      { op: 'slice-channels', name: 'middle', input: 'pool', from: 2, count: 7 },
      { op: 'mean', name: 'vector', input: 'middle' },
      {
        op: 'dense',
        name: 'logits',
        input: 'vector',
        kernel: randomTensor(random, [7, 3], 4),
        bias: randomTensor(random, [3]),
        activation: 'none',
      },
      { op: 'softmax', name: 'softmax', input: 'logits' },
    ],
    outputs: [
      { name: 'scores', node: 'softmax' },
      { name: 'map', node: 'sum' },
    ],
  };
}

const shape = [2, 12, 12, 3];
const pixels = randomPixels(seededRandom(9), shape);

function stemOf(network: Network): tf.Tensor4D {
  const lower = new TrainableNetwork(network, 'stem').frozen;
  const stem = runReference(lower, pixels, shape).get('features')!;
  return tf.tensor(Float32Array.from(stem.data), [stem.batch, stem.height, stem.width, stem.channels]);
}

describe.each(native ? ['cpu', 'tensorflow'] : ['cpu'])('a trainable network on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  it('computes what the network says from the cut up', () => {
    const network = smallNetwork();
    const outputs = new TrainableNetwork(network, 'stem').apply(stemOf(network));
    for (const [name, { data }] of runReference(network, pixels, shape))
      expect(largestDifference(outputs[name]!.dataSync(), data), name).toBeLessThan(1e-4);
  });

  it('has gradients that agree with small steps', () => {
    const network = smallNetwork();
    const trainable = new TrainableNetwork(network, 'stem');
    const features = stemOf(network);
    const loss = () => tf.sum(tf.square(tf.sub(trainable.apply(features).map!, 1))) as tf.Scalar;
    const { grads } = tf.variableGrads(loss);
    let checked = 0;
    for (const [name, variable] of trainable.variables) {
      const gradient = grads[variable.name]?.dataSync() ?? new Float32Array(variable.size);
      const values = variable.dataSync<'float32'>().slice();
      const at = values.length >> 1;
      const lossAt = (step: number) => {
        const moved = values.slice();
        moved[at]! += step;
        trainable.restore(new Map([[name, moved]]));
        return loss().dataSync()[0]!;
      };
      const slope = (lossAt(1e-3) - lossAt(-1e-3)) / 2e-3;
      trainable.restore(new Map([[name, values]]));
      expect(Math.abs(gradient[at]! - slope), name).toBeLessThan(0.02 * Math.max(1, Math.abs(slope)));
      if (Math.abs(slope) > 0.01) checked++;
    }
    // wide, deep and back; the dense layer is not on the way to `map`.
    expect(checked).toBeGreaterThanOrEqual(5);
  });

  it('learns, and the network that it gives back computes the same', () => {
    const network = smallNetwork();
    const trainable = new TrainableNetwork(network, 'stem');
    const features = stemOf(network);
    const labels = tf.tensor2d([0, 1, 0, 1, 0, 0], [2, 3]);
    const optimiser = tf.train.adam(0.02);
    const loss = () => tf.losses.logLoss(labels, trainable.apply(features).scores!) as tf.Scalar;
    const before = loss().dataSync()[0]!;
    for (let step = 0; step < 30; step++) optimiser.minimize(loss, false, [...trainable.variables.values()]);
    expect(loss().dataSync()[0]).toBeLessThan(before / 2);
    const expected = trainable.apply(features).scores!.dataSync();
    const rebuilt = runReference(trainable.toNetwork(), pixels, shape).get('scores')!;
    expect(largestDifference(rebuilt.data, expected)).toBeLessThan(1e-4);
    expect(runReference(network, pixels, shape).get('scores')!.data).not.toEqual(rebuilt.data);
  });
});

it('refuses a cut that a skip connection crosses, and weights that there are not', () => {
  expect(() => new TrainableNetwork(smallNetwork(), 'deep')).toThrow(/sum reads wide/);
  const trainable = new TrainableNetwork(smallNetwork(), 'stem');
  expect(() => trainable.restore(new Map([['stem/kernel', new Float32Array(108)]]))).toThrow(/stem\/kernel/);
});
