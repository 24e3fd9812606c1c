import { MASK_LABELS } from '../../domain/label.js';
import type { Random } from '../../lib/random.js';
import { mobileNetV2, type NamedWeights } from '../export/mobilenet-v2.js';
import type { DenseNode, Network, WeightTensor } from '../export/network.js';
import type { Calibration } from '../metrics/calibration.js';

/** Nodes of the new last layers, over the averages of the backbone's last map. */
export const LOGITS_NODE = 'logits';
export const FACE_LOGIT_NODE = 'face_logit';
/** The node whose value is dropped out in training. */
export const POOLED_NODE = 'pooled';

/** Outputs of the finished model. */
export const MASK_OUTPUTS = {
  scores: { meaning: 'calibrated scores by label, together 1' },
  face: { meaning: 'probability that the crop shows a face, calibrated' },
} as const;

const INITIAL_DEVIATION = 0.01;

/** MobileNetV2 with fresh last layers; outputs `logits` (batch × 3) and `face_logits` (batch × 1). */
export function maskNetwork(weights: NamedWeights, sizePx: number, random: Random): Network {
  const backbone = mobileNetV2({ weights, sizePx, at: 'pooled', name: 'mask-classifier' });
  const channels = weights.get('head/bias')!.data.length;
  const dense = (name: string, count: number): DenseNode => ({
    op: 'dense',
    name,
    input: POOLED_NODE,
    kernel: {
      shape: [channels, count],
      data: Float32Array.from({ length: channels * count }, () => random.normal() * INITIAL_DEVIATION),
    },
    bias: { shape: [count], data: new Float32Array(count) },
    activation: 'none',
  });
  return {
    ...backbone,
    nodes: [...backbone.nodes, dense(LOGITS_NODE, MASK_LABELS.length), dense(FACE_LOGIT_NODE, 1)],
    outputs: [
      { name: 'label_logits', node: LOGITS_NODE },
      { name: 'face_logits', node: FACE_LOGIT_NODE },
    ],
  };
}

/** What brings the raw outputs to calibrated ones. */
export interface MaskCalibration {
  readonly labels: Calibration;
  /** face = sigmoid(logit / temperature + bias) */
  readonly face: { readonly temperature: number; readonly bias: number };
}

/** The finished model: `scores` and `face`, the calibration worked into the last layers' weights. */
export function withScores(network: Network, name: string, calibration: MaskCalibration): Network {
  const { labels, face } = calibration;
  const nodes = network.nodes.map((node) => {
    if (node.op !== 'dense') return node;
    if (node.name === LOGITS_NODE) return calibrated(node, labels.temperature, labels.bias);
    if (node.name === FACE_LOGIT_NODE) return calibrated(node, face.temperature, [face.bias]);
    return node;
  });
  return {
    name,
    nodes: [
      ...nodes,
      { op: 'softmax', name: 'label_scores', input: LOGITS_NODE },
      { op: 'sigmoid', name: 'face_score', input: FACE_LOGIT_NODE },
    ],
    outputs: [
      { name: 'scores', node: 'label_scores' },
      { name: 'face', node: 'face_score' },
    ],
  };
}

function calibrated(node: DenseNode, temperature: number, bias: readonly number[]): DenseNode {
  const scaled = ({ shape, data }: WeightTensor) => ({
    shape,
    data: data.map((value) => value / temperature),
  });
  const shifted = scaled(node.bias);
  return {
    ...node,
    kernel: scaled(node.kernel),
    bias: { shape: shifted.shape, data: shifted.data.map((value, i) => value + bias[i]!) },
  };
}
