import { AppError } from '../../lib/errors.js';
import {
  type Activation,
  type ConvNode,
  cutAt,
  type Network,
  type NetworkNode,
  type WeightTensor,
} from './network.js';
import { readTfjsWeights } from './tfjs-weights.js';

/** Weights by name, `LAYER/kernel` and `LAYER/bias`, batch norms folded into them. */
export type NamedWeights = ReadonlyMap<string, WeightTensor>;

export interface MobileNetV2Options {
  readonly weights: NamedWeights;
  /** Side of the square input, pixels; null makes both sides dynamic. */
  readonly sizePx: number | null;
  /**
   * Where the network ends: `stem`, `block_0` … `block_16` (after the residual addition), `head` (1280 channels
   * in [0, 6]), or `pooled`, the default: the averages of `head` as a vector.
   */
  readonly at?: string;
  readonly name?: string;
}

/**
 * Stages of MobileNetV2 (Sandler et al., 2018, table 2): [number of blocks, stride of the first of them].
 */
const STAGES = [
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 2],
  [3, 1],
  [3, 2],
  [1, 1],
] as const;

/**
 * MobileNetV2 without its classifier, with TensorFlow's SAME padding; uint8 input is scaled to [-1, 1]. The only
 * output is `features`: a vector at `pooled`, otherwise a picture. Every convolution's node has its layer's name.
 * Throws `AppError` EXPORT_WEIGHTS_MISSING naming the weight, EXPORT_NETWORK_INVALID for an unknown `at`.
 */
export function mobileNetV2(options: MobileNetV2Options): Network {
  const { weights, sizePx, at = 'pooled', name = 'mobilenetv2' } = options;
  const nodes: NetworkNode[] = [
    { op: 'input', name: 'picture', heightPx: sizePx, widthPx: sizePx },
    // 1 / 127.5 and −1 bring 0 … 255 to −1 … 1, as the weights were trained.
    { op: 'normalise', name: 'normalised', input: 'picture', scale: 1 / 127.5, offset: -1 },
  ];
  const conv = (op: ConvNode['op'], layer: string, input: string, stride: 1 | 2, activation: Activation) => {
    const kernel = weightOf(weights, `${layer}/kernel`);
    const bias = weightOf(weights, `${layer}/bias`);
    nodes.push({ op, name: layer, input, kernel, bias, stride, padding: 'same', activation });
    return layer;
  };

  let value = conv('conv', 'stem', 'normalised', 2, 'relu6');
  let channels = weightOf(weights, 'stem/bias').data.length;
  const blocks: string[] = [];
  for (const [blockCount, firstStride] of STAGES)
    for (let i = 0; i < blockCount; i++) {
      const stride = i === 0 ? firstStride : 1;
      const id = `block_${blocks.length}`;
      const out = weightOf(weights, `${id}_project/bias`).data.length;
      // The first block alone does not expand.
      const wide = blocks.length === 0 ? value : conv('conv', `${id}_expand`, value, 1, 'relu6');
      const filtered = conv('depthwise-conv', `${id}_depthwise`, wide, stride, 'relu6');
      const narrow = conv('conv', `${id}_project`, filtered, 1, 'none');
      const isResidual = stride === 1 && out === channels;
      if (isResidual) nodes.push({ op: 'add', name: id, inputs: [value, narrow] });
      value = isResidual ? id : narrow;
      channels = out;
      blocks.push(value);
    }
  conv('conv', 'head', value, 1, 'relu6');
  nodes.push({ op: 'mean', name: 'pooled', input: 'head' });

  const block = /^block_(\d+)$/.exec(at)?.[1];
  const end = block === undefined ? at : (blocks[Number(block)] ?? at);
  return { ...cutAt({ name, nodes, outputs: [] }, end, 'features'), name };
}

/** Names of all weights that {@link mobileNetV2} takes, in the order of the layers. */
export function layerNames(): string[] {
  const blockCount = STAGES.reduce((sum, [count]) => sum + count, 0);
  const layers = ['stem'];
  for (let i = 0; i < blockCount; i++) {
    if (i > 0) layers.push(`block_${i}_expand`);
    layers.push(`block_${i}_depthwise`, `block_${i}_project`);
  }
  return [...layers, 'head'];
}

/**
 * The backbone's weights from a model folder that {@link mobileNetV2} was exported to (`imagenet-mobilenetv2`),
 * expanded to float32. Throws MODEL_NOT_FOUND, MODEL_INVALID, EXPORT_WEIGHTS_MISSING.
 */
export async function readBackboneWeights(modelDir: string): Promise<NamedWeights> {
  const stored = await readTfjsWeights(modelDir);
  const weights = new Map<string, WeightTensor>();
  for (const layer of layerNames())
    for (const part of ['kernel', 'bias'])
      weights.set(`${layer}/${part}`, weightOf(stored, `${layer}_${part}`));
  return weights;
}

function weightOf(weights: NamedWeights, key: string): WeightTensor {
  const tensor = weights.get(key);
  if (!tensor) throw new AppError('EXPORT_WEIGHTS_MISSING', `MobileNetV2: weights ${key} are missing`);
  return tensor;
}
