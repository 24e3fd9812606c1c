import type { Random } from '../../lib/random.js';
import type { Network } from '../export/network.js';
import type { PaperRecipe } from '../recipes/paper.js';

/** The node up to which the network is frozen. */
export const POOLED_NODE = 'pooled';

/**
 * Backbone up to its average pooling, dense ReLU layer, softmax over the labels; output `scores`. Fresh weights by
 * Glorot and Bengio (2010), uniform, as Keras begins; biases 0.
 */
export function paperNetwork(name: string, backbone: Network, recipe: PaperRecipe, random: Random): Network {
  const features = backbone.nodes.find((node) => node.name === 'head');
  const channels = features?.op === 'conv' ? features.bias.data.length : 0;
  const dense = (inputs: number, outputs: number) => {
    const limit = Math.sqrt(6 / (inputs + outputs));
    const data = Float32Array.from({ length: inputs * outputs }, () => random.between(-limit, limit));
    return {
      op: 'dense' as const,
      kernel: { shape: [inputs, outputs], data },
      bias: { shape: [outputs], data: new Float32Array(outputs) },
    };
  };
  return {
    name,
    nodes: [
      ...backbone.nodes,
      { ...dense(channels, recipe.hiddenUnits), name: 'hidden', input: POOLED_NODE, activation: 'relu' },
      {
        ...dense(recipe.hiddenUnits, recipe.labels.length),
        name: 'logits',
        input: 'hidden',
        activation: 'none',
      },
      { op: 'softmax', name: 'softmax', input: 'logits' },
    ],
    outputs: [{ name: 'scores', node: 'softmax' }],
  };
}
