import * as tf from '@tensorflow/tfjs-core';
import { assignAll, valuesOf } from './adamw.js';

/**
 * Running average of variables over the steps (Polyak and Juditsky, 1992): smoother than the last weights, and on
 * held-out pictures nearly always better. Early on it follows faster, so that it does not hold on to the beginning.
 */
export class WeightAverage {
  readonly #variables: ReadonlyMap<string, tf.Variable>;
  readonly #averages = new Map<string, tf.Variable>();
  readonly #decay: number;

  /** Begins with the present values. `decay` per step, in [0, 1). */
  constructor(variables: ReadonlyMap<string, tf.Variable>, decay: number) {
    this.#variables = variables;
    this.#decay = decay;
    for (const [name, variable] of variables)
      tf.tidy(() => {
        this.#averages.set(name, tf.variable(tf.clone(variable), false));
      });
  }

  /** Takes the present values in; `step` counts from 0. */
  update(step: number): void {
    const decay = Math.min(this.#decay, (1 + step) / (10 + step));
    for (const [name, variable] of this.#variables)
      tf.tidy(() => {
        const average = this.#averages.get(name)!;
        average.assign(tf.add(tf.mul(average, decay), tf.mul(variable, 1 - decay)));
      });
  }

  snapshot(): Map<string, Float32Array> {
    return valuesOf(this.#averages);
  }

  restore(values: ReadonlyMap<string, Float32Array>): void {
    assignAll(this.#averages, values);
  }

  dispose(): void {
    for (const average of this.#averages.values()) average.dispose();
  }
}
