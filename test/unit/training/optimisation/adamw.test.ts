import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorFlow } from '../../../../src/training/head/tensorflow.js';
import { AdamW } from '../../../../src/training/optimisation/adamw.js';
import { WeightAverage } from '../../../../src/training/optimisation/weight-average.js';

beforeAll(async () => {
  await startTensorFlow({ device: 'wasm' });
});

/** Loshchilov and Hutter (2019), algorithm 2, by hand, for one weight; the slope of a·w²/2 is a·w. */
function byHand(
  steps: number,
  rate: number,
  decay: number,
  slope: (w: number) => number,
  from: number,
): number {
  let [w, m, v] = [from, 0, 0];
  for (let t = 1; t <= steps; t++) {
    const g = slope(w);
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w = w * (1 - rate * decay) - (rate * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
  }
  return w;
}

const weights = () =>
  new Map([
    ['a/kernel', tf.variable(tf.tensor1d([2]))],
    ['a/bias', tf.variable(tf.tensor1d([-1]))],
  ]);
const lossOf = (variables: ReadonlyMap<string, tf.Variable>) => () =>
  tf.addN([...variables.values()].map((v) => tf.sum(tf.square(v)))) as tf.Scalar;

describe('AdamW', () => {
  it('takes the steps of the paper, decays kernels alone', () => {
    const variables = weights();
    const optimiser = new AdamW(variables, { weightDecay: 0.1, maxGradientNorm: 1e9 });
    for (let step = 0; step < 20; step++) optimiser.minimise(lossOf(variables), 0.01, step);
    expect(variables.get('a/kernel')!.dataSync()[0]).toBeCloseTo(
      byHand(20, 0.01, 0.1, (w) => 2 * w, 2),
      4,
    );
    expect(variables.get('a/bias')!.dataSync()[0]).toBeCloseTo(
      byHand(20, 0.01, 0, (w) => 2 * w, -1),
      4,
    );
  });

  it('shortens long gradients together and scales the rate by name', () => {
    const variables = weights();
    const optimiser = new AdamW(variables, {
      weightDecay: 0,
      maxGradientNorm: 0.5,
      rateFactor: (name) => (name === 'a/bias' ? 10 : 1),
    });
    optimiser.minimise(lossOf(variables), 0.01, 0);
    const { first } = optimiser.snapshot();
    const moments = [first.get('a/kernel')![0]!, first.get('a/bias')![0]!];
    expect(Math.hypot(...moments)).toBeCloseTo(0.05, 5);
    expect(variables.get('a/kernel')!.dataSync()[0]).toBeCloseTo(1.99, 4);
    expect(variables.get('a/bias')!.dataSync()[0]).toBeCloseTo(-0.9, 4);
  });

  it('goes on from its state as if it had never stopped', () => {
    const straight = weights();
    const one = new AdamW(straight, { weightDecay: 0.1, maxGradientNorm: 1 });
    for (let step = 0; step < 8; step++) one.minimise(lossOf(straight), 0.02, step);
    const broken = weights();
    const before = new AdamW(broken, { weightDecay: 0.1, maxGradientNorm: 1 });
    for (let step = 0; step < 5; step++) before.minimise(lossOf(broken), 0.02, step);
    const after = new AdamW(broken, { weightDecay: 0.1, maxGradientNorm: 1 });
    after.restore(before.snapshot());
    for (let step = 5; step < 8; step++) after.minimise(lossOf(broken), 0.02, step);
    for (const [name, variable] of straight)
      expect(broken.get(name)!.dataSync()).toEqual(variable.dataSync());
  });

  it('leaves no tensors behind', () => {
    const variables = weights();
    const optimiser = new AdamW(variables, { weightDecay: 0.1, maxGradientNorm: 1 });
    const average = new WeightAverage(variables, 0.9);
    optimiser.minimise(lossOf(variables), 0.01, 0);
    const count = tf.memory().numTensors;
    for (let step = 1; step < 4; step++) {
      optimiser.minimise(lossOf(variables), 0.01, step);
      average.update(step);
    }
    expect(tf.memory().numTensors).toBe(count);
  });
});

describe('WeightAverage', () => {
  it('follows fast at first and slowly later', () => {
    const variables = new Map([['a', tf.variable(tf.tensor1d([0]))]]);
    const average = new WeightAverage(variables, 0.9);
    variables.get('a')!.assign(tf.tensor1d([1]));
    average.update(0);
    expect(average.snapshot().get('a')![0]).toBeCloseTo(0.9, 5);
    variables.get('a')!.assign(tf.tensor1d([0]));
    average.update(1000);
    expect(average.snapshot().get('a')![0]).toBeCloseTo(0.81, 5);
  });
});
