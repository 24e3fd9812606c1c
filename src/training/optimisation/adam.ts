import * as tf from '@tensorflow/tfjs-core';
import type { WeightTensor } from '../export/network.js';

export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  /** Added to the root of the second moment, after its correction is in the learning rate: as in Keras. */
  readonly epsilon?: number;
}

/**
 * Adam (Kingma and Ba, 2015) in the form of the end of its section 2, which Keras uses, with a learning rate told
 * at every step. Unlike TensorFlow.js' own, it comes back from a checkpoint to the last bit: that one recomputes
 * the powers of its betas by another way than it first took.
 */
export class Adam {
  readonly #variables: ReadonlyMap<string, tf.Variable>;
  readonly #moments = new Map<string, { first: tf.Variable; second: tf.Variable }>();
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  #steps = 0;

  /** `variables` by the names under which {@link tensors} keeps their moments; they stay their owner's. */
  constructor(variables: ReadonlyMap<string, tf.Variable>, options: AdamOptions = {}) {
    this.#variables = variables;
    this.#beta1 = options.beta1 ?? 0.9;
    this.#beta2 = options.beta2 ?? 0.999;
    this.#epsilon = options.epsilon ?? 1e-7;
    for (const [name, variable] of variables)
      tf.tidy(() => {
        const zero = () => tf.variable(tf.zeros(variable.shape), false);
        this.#moments.set(name, { first: zero(), second: zero() });
      });
  }

  /** Steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** One step down the gradient of `loss`. Returns the loss before it, which the caller disposes. */
  minimise(loss: () => tf.Scalar, learningRate: number): tf.Scalar {
    this.#steps++;
    const corrected =
      (learningRate * Math.sqrt(1 - this.#beta2 ** this.#steps)) / (1 - this.#beta1 ** this.#steps);
    const { value, grads } = tf.variableGrads(loss, [...this.#variables.values()]);
    tf.tidy(() => {
      for (const [name, variable] of this.#variables) {
        const gradient = grads[variable.name];
        if (!gradient) continue;
        const { first, second } = this.#moments.get(name)!;
        const m = tf.add(tf.mul(first, this.#beta1), tf.mul(gradient, 1 - this.#beta1));
        const v = tf.add(tf.mul(second, this.#beta2), tf.mul(tf.square(gradient), 1 - this.#beta2));
        first.assign(m);
        second.assign(v);
        variable.assign(tf.sub(variable, tf.mul(tf.div(m, tf.add(tf.sqrt(v), this.#epsilon)), corrected)));
      }
    });
    tf.dispose(grads);
    return value;
  }

  /** Steps and moments for a checkpoint, names `adam/…`; copies. Steps stay exact up to 2^24. */
  tensors(): Map<string, WeightTensor> {
    const tensors = new Map<string, WeightTensor>();
    tensors.set('adam/steps', { shape: [], data: Float32Array.of(this.#steps) });
    for (const [name, moments] of this.#moments)
      for (const which of ['first', 'second'] as const) {
        const moment = moments[which];
        tensors.set(`adam/${which}/${name}`, {
          shape: moment.shape,
          data: moment.dataSync<'float32'>().slice(),
        });
      }
    return tensors;
  }

  /** Puts back what {@link tensors} gave; other names are left alone. */
  restore(tensors: ReadonlyMap<string, WeightTensor>): void {
    this.#steps = tensors.get('adam/steps')?.data[0] ?? 0;
    for (const [name, moments] of this.#moments)
      for (const which of ['first', 'second'] as const) {
        const kept = tensors.get(`adam/${which}/${name}`);
        if (kept) tf.tidy(() => moments[which].assign(tf.tensor(kept.data, [...kept.shape])));
      }
  }

  dispose(): void {
    for (const { first, second } of this.#moments.values()) tf.dispose([first, second]);
  }
}
