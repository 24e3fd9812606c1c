import type { Network } from './network.js';

/** Of two networks of one form, all weights `share` of the way from the first to the second. */
export function blendNetworks(from: Network, to: Network, share: number): Network {
  const others = new Map(to.nodes.map((node) => [node.name, node]));
  return {
    ...from,
    nodes: from.nodes.map((node) => {
      const other = others.get(node.name);
      if (!('kernel' in node) || !other || !('kernel' in other)) return node;
      const blend = (part: 'kernel' | 'bias') => ({
        shape: node[part].shape,
        data: node[part].data.map((value, i) => value + share * (other[part].data[i]! - value)),
      });
      return { ...node, kernel: blend('kernel'), bias: blend('bias') };
    }),
  };
}

/** The mean of the weights of networks of one form, at least one. */
export function meanNetwork([first, ...others]: readonly [Network, ...Network[]]): Network {
  return others.reduce((mean, network, index) => blendNetworks(mean, network, 1 / (index + 2)), first);
}
