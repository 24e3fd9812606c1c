import * as tf from '@tensorflow/tfjs-core';
import { AppError } from '../../lib/errors.js';
import {
  cutAt,
  type DenseNode,
  inputsOf,
  type Network,
  type NetworkNode,
  shapesOf,
  type WeightTensor,
} from '../export/network.js';
import { evaluateNode } from './evaluate-node.js';

/** Value of a node after it was computed, e.g. with dropout applied; must keep the shape. */
export type NodeHook = (node: NetworkNode, value: tf.Tensor) => tf.Tensor;

type WeightedNode = Extract<NetworkNode, { op: 'conv' | 'depthwise-conv' }> | DenseNode;

/**
 * A {@link Network} whose upper part is trainable in TensorFlow.js. The lower part, up to and including the node
 * `from`, stays as it is and is run by whatever engine is fastest ({@link frozen}); its value is what
 * {@link apply} takes. Batch norms are not re-introduced: the folded weights themselves are trained.
 */
export class TrainableNetwork {
  /** The lower part; its only output is `features`. */
  readonly frozen: Network;
  /** Trainable weights, `NODE/kernel` and `NODE/bias`, in TensorFlow's layouts. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
  readonly #network: Network;
  readonly #from: string;
  readonly #upper: readonly NetworkNode[];

  /**
   * Throws `AppError` EXPORT_NETWORK_INVALID when there is no node `from`, or when a node above it reads something
   * below it other than `from` itself (a skip connection across the cut).
   */
  constructor(network: Network, from: string) {
    shapesOf(network);
    this.frozen = cutAt(network, from, 'features');
    const lower = new Set(this.frozen.nodes.map(({ name }) => name));
    const upper = network.nodes.filter(({ name }) => !lower.has(name));
    for (const node of upper)
      for (const input of inputsOf(node))
        if (input !== from && lower.has(input))
          throw new AppError(
            'EXPORT_NETWORK_INVALID',
            `network ${network.name}: ${node.name} reads ${input}, which lies below the cut at ${from}`,
          );
    this.#network = network;
    this.#from = from;
    this.#upper = upper;
    const variables = new Map<string, tf.Variable>();
    for (const node of upper) {
      if (!hasWeights(node)) continue;
      for (const part of ['kernel', 'bias'] as const)
        tf.tidy(() => {
          const { data, shape } = node[part];
          variables.set(`${node.name}/${part}`, tf.variable(tf.tensor(data, [...shape])));
        });
    }
    this.variables = variables;
  }

  /**
   * The outputs of the network by their public names. `features`: batch × height × width × channels of the node
   * `from`, float32. Intermediate tensors belong to the caller's `tf.tidy` or gradient scope.
   */
  apply(features: tf.Tensor, hook?: NodeHook): Record<string, tf.Tensor> {
    const values = new Map<string, tf.Tensor>([[this.#from, features]]);
    for (const node of this.#upper) {
      const value = evaluateNode(
        node,
        inputsOf(node).map((name) => values.get(name)!),
        (part) => this.variables.get(`${node.name}/${part}`)!,
      );
      values.set(node.name, hook ? hook(node, value) : value);
    }
    return Object.fromEntries(this.#network.outputs.map(({ name, node }) => [name, values.get(node)!]));
  }

  /** The whole network with the present weights, or with those of a {@link snapshot}; copies. */
  toNetwork(weights: ReadonlyMap<string, Float32Array> = this.snapshot()): Network {
    const tensor = (node: WeightedNode, part: 'kernel' | 'bias'): WeightTensor => ({
      shape: node[part].shape,
      data: weights.get(`${node.name}/${part}`)!.slice(),
    });
    const upper = new Set(this.#upper.map(({ name }) => name));
    return {
      ...this.#network,
      nodes: this.#network.nodes.map((node) =>
        hasWeights(node) && upper.has(node.name)
          ? { ...node, kernel: tensor(node, 'kernel'), bias: tensor(node, 'bias') }
          : node,
      ),
    };
  }

  /** A copy of all trainable weights. */
  snapshot(): Map<string, Float32Array> {
    return new Map(
      [...this.variables].map(([name, variable]) => [name, variable.dataSync<'float32'>().slice()]),
    );
  }

  /** Sets the weights that `snapshot` names. */
  restore(snapshot: ReadonlyMap<string, Float32Array>): void {
    for (const [name, values] of snapshot) {
      const variable = this.variables.get(name);
      if (!variable)
        throw new AppError('EXPORT_WEIGHTS_MISSING', `network ${this.#network.name} has no ${name}`);
      tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
    }
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }
}

function hasWeights(node: NetworkNode): node is WeightedNode {
  return 'kernel' in node;
}
