import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../../lib/random.js';
import type { NetworkNode, WeightTensor } from '../export/network.js';
import type { Calibration } from '../metrics/calibration.js';
import type { HeadShape } from '../recipes/recipe.js';
import { matrixProduct, matrixProductOfData } from './matrix-product.js';

export interface FeatureMap {
  readonly heightCells: number;
  readonly widthCells: number;
  readonly channels: number;
}

export const LOGIT_COUNT = 3;

/**
 * The trainable part: 1 × 1 convolution, perhaps a 3 × 3 convolution, a dense layer over the whole map, logits.
 * Convolutions are computed as matrix products, whose gradients every TensorFlow.js backend has.
 */
export class MaskHead {
  readonly #map: FeatureMap;
  readonly #shape: HeadShape;
  readonly #weights: Map<string, tf.Variable>;

  private constructor(map: FeatureMap, shape: HeadShape, weights: Map<string, tf.Variable>) {
    this.#map = map;
    this.#shape = shape;
    this.#weights = weights;
  }

  /** Fresh weights by He et al. (2015): normal with variance 2 / inputs; biases 0. */
  static create(map: FeatureMap, shape: HeadShape, random: Random): MaskHead {
    const { reduceChannels: reduce, convChannels: conv, hiddenUnits: hidden } = shape;
    const cells = map.heightCells * map.widthCells;
    const last = conv > 0 ? conv : reduce;
    const kernels: [name: string, inputs: number, outputs: number][] = [
      ['reduce', map.channels, reduce],
      ...(conv > 0 ? [['conv', reduce * 9, conv] as [string, number, number]] : []),
      ['hidden', cells * last, hidden],
      ['logits', hidden, LOGIT_COUNT],
    ];
    const weights = new Map<string, tf.Variable>();
    for (const [name, inputs, outputs] of kernels) {
      const deviation = Math.sqrt(2 / inputs);
      const values = Float32Array.from({ length: inputs * outputs }, () => random.normal() * deviation);
      tf.tidy(() => {
        weights.set(`${name}/kernel`, tf.variable(tf.tensor2d(values, [inputs, outputs])));
        weights.set(`${name}/bias`, tf.variable(tf.zeros([outputs])));
      });
    }
    return new MaskHead(map, shape, weights);
  }

  /** Trainable weights by name, e.g. `hidden/kernel`. */
  get weights(): ReadonlyMap<string, tf.Variable> {
    return this.#weights;
  }

  /**
   * Logits, batch × 3, of feature maps (batch × numbers, each row, column, channel). With `random`, parts of the
   * hidden layer and of the map are dropped as in training.
   */
  logits(features: tf.Tensor2D, dropoutSeed?: number): tf.Tensor2D {
    const { heightCells: height, widthCells: width, channels } = this.#map;
    const { reduceChannels, convChannels, dropout } = this.#shape;
    const batch = features.shape[0];
    const cells = height * width;
    const drop = (x: tf.Tensor2D, offset: number) =>
      dropoutSeed === undefined || dropout === 0
        ? x
        : (tf.dropout(x, dropout, undefined, dropoutSeed + offset) as tf.Tensor2D);
    let map = tf.relu6(
      this.#apply('reduce', tf.reshape(features, [batch * cells, channels]), matrixProductOfData),
    ) as tf.Tensor2D;
    if (convChannels > 0) {
      const columns = neighbourhoods(tf.reshape(map, [batch, height, width, reduceChannels]));
      map = tf.relu6(this.#apply('conv', tf.reshape(columns, [batch * cells, reduceChannels * 9])));
    }
    const flat: tf.Tensor2D = tf.reshape(map, [batch, (map.size / batch) | 0]);
    const hidden = tf.relu(this.#apply('hidden', drop(flat, 0)));
    return this.#apply('logits', drop(hidden, 1));
  }

  /** Nodes that compute the scores from the map `featuresNode`; the calibration is folded into the last layer. */
  toNodes(featuresNode: string, { temperature, bias }: Calibration): NetworkNode[] {
    const { reduceChannels: reduce, convChannels: conv } = this.#shape;
    const lastBias = this.#tensor('logits/bias', undefined, 1 / temperature);
    const nodes: NetworkNode[] = [
      {
        op: 'conv',
        name: 'head_reduce',
        input: featuresNode,
        kernel: this.#tensor('reduce/kernel', [1, 1, this.#map.channels, reduce]),
        bias: this.#tensor('reduce/bias'),
        stride: 1,
        padding: 'same',
        activation: 'relu6',
      },
    ];
    if (conv > 0)
      nodes.push({
        op: 'conv',
        name: 'head_conv',
        input: 'head_reduce',
        kernel: this.#tensor('conv/kernel', [3, 3, reduce, conv]),
        bias: this.#tensor('conv/bias'),
        stride: 1,
        padding: 'same',
        activation: 'relu6',
      });
    nodes.push(
      { op: 'flatten', name: 'head_flat', input: conv > 0 ? 'head_conv' : 'head_reduce' },
      {
        op: 'dense',
        name: 'head_hidden',
        input: 'head_flat',
        kernel: this.#tensor('hidden/kernel'),
        bias: this.#tensor('hidden/bias'),
        activation: 'relu',
      },
      {
        op: 'dense',
        name: 'head_logits',
        input: 'head_hidden',
        kernel: this.#tensor('logits/kernel', undefined, 1 / temperature),
        bias: { ...lastBias, data: lastBias.data.map((value, i) => value + bias[i]!) },
        activation: 'none',
      },
      { op: 'softmax', name: 'head_scores', input: 'head_logits' },
    );
    return nodes;
  }

  /** A copy of all weights, to go back to. */
  snapshot(): Map<string, Float32Array> {
    return new Map([...this.#weights].map(([name, weight]) => [name, weight.dataSync<'float32'>().slice()]));
  }

  restore(snapshot: ReadonlyMap<string, Float32Array>): void {
    for (const [name, values] of snapshot) {
      const weight = this.#weights.get(name)!;
      tf.tidy(() => weight.assign(tf.tensor(values, weight.shape)));
    }
  }

  dispose(): void {
    for (const weight of this.#weights.values()) weight.dispose();
  }

  #apply(layer: string, x: tf.Tensor2D, product = matrixProduct): tf.Tensor2D {
    const kernel = this.#weights.get(`${layer}/kernel`) as tf.Variable<tf.Rank.R2>;
    return tf.add(product(x, kernel), this.#weights.get(`${layer}/bias`)!);
  }

  #tensor(name: string, shape?: readonly number[], factor = 1): WeightTensor {
    const weight = this.#weights.get(name)!;
    return {
      shape: shape ?? weight.shape,
      data: weight.dataSync<'float32'>().map((value) => value * factor),
    };
  }
}

/** Each cell with its eight neighbours (0 beyond the edge), joined by channel: row, column, channel. */
function neighbourhoods(map: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width, channels] = map.shape;
  const padded = tf.pad(map, [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
  const shifted: tf.Tensor4D[] = [];
  for (let y = 0; y < 3; y++)
    for (let x = 0; x < 3; x++)
      shifted.push(tf.slice4d(padded, [0, y, x, 0], [batch, height, width, channels]));
  return tf.concat4d(shifted, 3);
}
