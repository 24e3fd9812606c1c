import * as tf from '@tensorflow/tfjs-core';

/** Weights by name. */
export type Weights = ReadonlyMap<string, Float32Array>;

export interface AdamWOptions {
  /** Decoupled decay of kernels, as a share of the rate. */
  readonly weightDecay: number;
  /** Gradients longer than this, all together, are shortened to it. */
  readonly maxGradientNorm: number;
  /** Factor on the rate of one variable, by its name. Default 1. */
  readonly rateFactor?: (name: string) => number;
}

const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

/**
 * AdamW (Loshchilov and Hutter, 2019, algorithm 2) over named variables, with the gradients' common norm limited.
 * Its whole state can be taken out and put back, which tf.AdamOptimizer allows only for all variables of a model.
 */
export class AdamW {
  readonly #variables: ReadonlyMap<string, tf.Variable>;
  readonly #options: AdamWOptions;
  readonly #first = new Map<string, tf.Variable>();
  readonly #second = new Map<string, tf.Variable>();

  constructor(variables: ReadonlyMap<string, tf.Variable>, options: AdamWOptions) {
    this.#variables = variables;
    this.#options = options;
    for (const [name, { shape }] of variables)
      tf.tidy(() => {
        this.#first.set(name, tf.variable(tf.zeros(shape), false));
        this.#second.set(name, tf.variable(tf.zeros(shape), false));
      });
  }

  /**
   * One step down the slope of `loss`, a scalar. `step` counts from 0. Returns the loss. Disposes of nothing that is
   * not its own; what `loss` makes is tidied.
   */
  minimise(loss: () => tf.Scalar, rate: number, step: number): number {
    const list = [...this.#variables.values()];
    const { value, grads } = tf.variableGrads(loss, list);
    const lossValue = value.dataSync()[0]!;
    tf.tidy(() => {
      const gradients = [...this.#variables].map(
        ([name, variable]) => [name, variable, grads[variable.name]!] as const,
      );
      const squares = gradients.map(([, , gradient]) => tf.sum(tf.square(gradient)));
      const norm = Math.sqrt(tf.addN(squares).dataSync()[0]!);
      const scale = norm > this.#options.maxGradientNorm ? this.#options.maxGradientNorm / norm : 1;
      const correction = Math.sqrt(1 - BETA_2 ** (step + 1)) / (1 - BETA_1 ** (step + 1));
      for (const [name, variable, gradient] of gradients)
        tf.tidy(() => this.#update(name, variable, gradient, scale, rate, correction));
    });
    value.dispose();
    tf.dispose(grads);
    return lossValue;
  }

  #update(
    name: string,
    variable: tf.Variable,
    gradient: tf.Tensor,
    scale: number,
    rate: number,
    correction: number,
  ): void {
    const { weightDecay, rateFactor } = this.#options;
    const first = this.#first.get(name)!;
    const second = this.#second.get(name)!;
    const own = rate * (rateFactor?.(name) ?? 1);
    first.assign(tf.add(tf.mul(first, BETA_1), tf.mul(gradient, (1 - BETA_1) * scale)));
    second.assign(tf.add(tf.mul(second, BETA_2), tf.mul(tf.square(gradient), (1 - BETA_2) * scale * scale)));
    const change = tf.div(tf.mul(first, own * correction), tf.add(tf.sqrt(second), EPSILON));
    const kept =
      name.endsWith('/kernel') && weightDecay > 0 ? tf.mul(variable, 1 - own * weightDecay) : variable;
    variable.assign(tf.sub(kept, change));
  }

  /** Both moments of every variable; copies. */
  snapshot(): { first: Map<string, Float32Array>; second: Map<string, Float32Array> } {
    return { first: valuesOf(this.#first), second: valuesOf(this.#second) };
  }

  restore(state: { first: Weights; second: Weights }): void {
    assignAll(this.#first, state.first);
    assignAll(this.#second, state.second);
  }

  dispose(): void {
    for (const moments of [this.#first, this.#second])
      for (const variable of moments.values()) variable.dispose();
  }
}

/** Copies of the variables' values. */
export function valuesOf(variables: ReadonlyMap<string, tf.Variable>): Map<string, Float32Array> {
  return new Map([...variables].map(([name, variable]) => [name, variable.dataSync<'float32'>().slice()]));
}

/** Sets the variables that `values` names; others stay. */
export function assignAll(variables: ReadonlyMap<string, tf.Variable>, values: Weights): void {
  for (const [name, data] of values) {
    const variable = variables.get(name)!;
    tf.tidy(() => variable.assign(tf.tensor(data, variable.shape)));
  }
}
