import { MASK_LABELS } from '../../domain/label.js';
import { AppError } from '../../lib/errors.js';
import { type Network, type NetworkNode, shapesOf, type WeightTensor } from './network.js';

/** A dense layer of the head. */
export interface HeadLayer {
  /** in × out, row-major. */
  readonly kernel: WeightTensor;
  readonly bias: WeightTensor;
  readonly activation: 'none' | 'relu' | 'relu6';
}

export interface MaskClassifierOptions {
  readonly name: string;
  /** Its only output is a vector, or a picture of fixed size, which is then flattened. */
  readonly backbone: Network;
  /** The last layer gives one logit a label, in the order of `MASK_LABELS`, with activation `none`. */
  readonly head: readonly HeadLayer[];
  /** The logits are divided by it (Guo et al., 2017, equation 9). Default 1. */
  readonly temperature?: number;
}

/**
 * Backbone, head and softmax as one network with the output `scores`: one vector of calibrated scores a crop,
 * each in [0, 1], together 1. The temperature is worked into the last layer's weights.
 * Throws `AppError` EXPORT_NETWORK_INVALID.
 */
export function maskClassifier(options: MaskClassifierOptions): Network {
  const { name, backbone, head, temperature = 1 } = options;
  const last = head.at(-1);
  const [features, ...others] = backbone.outputs;
  if (!features || others.length > 0) throw invalid(name, 'the backbone needs exactly one output');
  if (last?.activation !== 'none' || last.bias.data.length !== MASK_LABELS.length)
    throw invalid(name, `the last layer gives ${MASK_LABELS.length} plain logits`);
  if (!(temperature > 0)) throw invalid(name, 'the temperature must be above 0');

  const nodes: NetworkNode[] = [...backbone.nodes];
  let value = features.node;
  if (shapesOf(backbone).get(value)?.kind === 'picture') {
    nodes.push({ op: 'flatten', name: 'flat', input: value });
    value = 'flat';
  }
  for (const [index, layer] of head.entries()) {
    const scale = layer === last ? 1 / temperature : 1;
    const node = layer === last ? 'logits' : `dense_${index}`;
    const { activation } = layer;
    nodes.push({
      op: 'dense',
      name: node,
      input: value,
      kernel: scaled(layer.kernel, scale),
      bias: scaled(layer.bias, scale),
      activation,
    });
    value = node;
  }
  nodes.push({ op: 'softmax', name: 'softmax', input: value });
  const network = { name, nodes, outputs: [{ name: 'scores', node: 'softmax' }] };
  shapesOf(network);
  return network;
}

function scaled(tensor: WeightTensor, factor: number): WeightTensor {
  return factor === 1 ? tensor : { shape: tensor.shape, data: tensor.data.map((value) => value * factor) };
}

function invalid(name: string, why: string): AppError {
  return new AppError('EXPORT_NETWORK_INVALID', `mask classifier ${name}: ${why}`);
}
