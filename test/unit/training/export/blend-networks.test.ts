import { describe, expect, it } from 'vitest';
import { blendNetworks, meanNetwork } from '../../../../src/training/export/blend-networks.js';
import type { DenseNode, Network } from '../../../../src/training/export/network.js';

function network(weight: number): Network {
  const dense: DenseNode = {
    op: 'dense',
    name: 'last',
    input: 'pixels',
    kernel: { shape: [1, 2], data: Float32Array.of(weight, -weight) },
    bias: { shape: [2], data: Float32Array.of(weight / 2, 0) },
    activation: 'none',
  };
  return {
    name: `of-${weight}`,
    nodes: [{ op: 'input', name: 'pixels', heightPx: 1, widthPx: 1 }, dense],
    outputs: [{ name: 'out', node: 'last' }],
  };
}

const weightsOf = ({ nodes }: Network) => {
  const { kernel, bias } = nodes[1] as DenseNode;
  return [[...kernel.data], [...bias.data]];
};

describe('blending of networks', () => {
  it('goes from one to the other', () => {
    const [from, to] = [network(2), network(6)];
    expect(weightsOf(blendNetworks(from, to, 0))).toEqual(weightsOf(from));
    expect(weightsOf(blendNetworks(from, to, 1))).toEqual(weightsOf(to));
    expect(weightsOf(blendNetworks(from, to, 0.25))).toEqual(weightsOf(network(3)));
    // Neither is touched.
    expect(weightsOf(from)).toEqual(weightsOf(network(2)));
  });

  it('gives each of several the same part in the mean', () => {
    expect(weightsOf(meanNetwork([network(1), network(3), network(8)]))).toEqual(weightsOf(network(4)));
    expect(meanNetwork([network(1)])).toEqual(network(1));
  });
});
