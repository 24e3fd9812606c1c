import * as tf from '@tensorflow/tfjs-core';
import { fromFloat16 } from '../../lib/float16.js';
import type { FeatureSet } from '../features/extract-features.js';

export interface Batch {
  readonly features: tf.Tensor2D;
  readonly labels: tf.Tensor1D;
  readonly weights: tf.Tensor1D;
  dispose(): void;
}

/** Value of every 16-bit pattern: looking up is faster than converting. */
const float16Values = fromFloat16(Uint16Array.from({ length: 65536 }, (_, bits) => bits));

/** Gathers samples of a feature set into tensors. */
export class FeatureBatches {
  readonly #set: FeatureSet;
  readonly #weights: Float32Array | undefined;

  /** `weights`: one per sample; 1 where left out. */
  constructor(set: FeatureSet, weights?: Float32Array) {
    this.#set = set;
    this.#weights = weights;
  }

  take(indices: Uint32Array): Batch {
    const { values, length, samples } = this.#set;
    const features = new Float32Array(indices.length * length);
    const labels = new Int32Array(indices.length);
    const weights = new Float32Array(indices.length).fill(1);
    indices.forEach((index, row) => {
      const from = index * length;
      for (let i = 0, to = row * length; i < length; i++, to++)
        features[to] = float16Values[values[from + i]!]!;
      labels[row] = samples[index]!.labelIndex;
      if (this.#weights) weights[row] = this.#weights[index]!;
    });
    const batch = {
      features: tf.tensor2d(features, [indices.length, length]),
      labels: tf.tensor1d(labels, 'int32'),
      weights: tf.tensor1d(weights),
    };
    return {
      ...batch,
      dispose: () => {
        tf.dispose([batch.features, batch.labels, batch.weights]);
      },
    };
  }
}
