import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients.
import '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { Adam } from '../../../../src/training/optimisation/adam.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function start() {
  const weight = tf.variable(tf.tensor1d([1, -2, 3]));
  const bias = tf.variable(tf.scalar(0.5));
  const adam = new Adam(
    new Map<string, tf.Variable>([
      ['weight', weight],
      ['bias', bias],
    ]),
  );
  const steps = (count: number) => {
    for (let i = 0; i < count; i++)
      adam.minimise(() => tf.add(tf.sum(tf.square(weight)), tf.square(bias)) as tf.Scalar, 0.1).dispose();
  };
  return { weight, bias, adam, steps, values: () => [...weight.dataSync(), ...bias.dataSync()] };
}

describe('Adam', () => {
  it('takes the steps that the formula gives', () => {
    const { steps, values } = start();
    steps(2);
    // By hand for the first entry: gradients 2 · x, moments from 0.
    let [x, m, v] = [1, 0, 0];
    for (let t = 1; t <= 2; t++) {
      m = 0.9 * m + 0.1 * 2 * x;
      v = 0.999 * v + 0.001 * (2 * x) ** 2;
      x -= ((0.1 * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t)) * (m / (Math.sqrt(v) + 1e-7));
    }
    expect(values()[0]).toBeCloseTo(x, 5);
  });

  it('goes on from its tensors to the last bit: two steps and two more are four', () => {
    const whole = start();
    whole.steps(4);
    const first = start();
    first.steps(2);
    const tensors = first.adam.tensors();
    tensors.set('other', { shape: [1], data: Float32Array.of(1) });
    const second = start();
    second.weight.assign(first.weight as tf.Tensor1D);
    second.bias.assign(first.bias as tf.Scalar);
    second.adam.restore(tensors);
    second.steps(2);
    expect(second.adam.steps).toBe(4);
    expect(second.values()).toEqual(whole.values());
  });

  it('keeps no tensor beside its moments', () => {
    const { steps, adam } = start();
    const before = tf.memory().numTensors;
    steps(3);
    expect(tf.memory().numTensors).toBe(before);
    adam.dispose();
    expect(tf.memory().numTensors).toBe(before - 4);
  });
});
