import { describe, expect, it } from 'vitest';
import { mergeSiblings } from '../../../../src/training/export/merge-siblings.js';
import {
  cutAt,
  type Network,
  type NetworkNode,
  shapesOf,
  windowAlong,
} from '../../../../src/training/export/network.js';
import { largestDifference, randomPixels, randomTensor, seededRandom } from './engines.js';
import { runReference } from './reference.js';

const random = seededRandom(5);
const input: NetworkNode = { op: 'input', name: 'picture', heightPx: 8, widthPx: 8 };
const float: NetworkNode = { op: 'normalise', name: 'float', input: 'picture', scale: 1 / 255, offset: 0 };

function pair(id: string, count: number): NetworkNode[] {
  const rest = { stride: 1, padding: 'same', activation: 'none' } as const;
  return [
    {
      op: 'conv',
      name: `${id}_point`,
      input: 'float',
      kernel: randomTensor(random, [1, 1, 3, count]),
      bias: randomTensor(random, [count]),
      ...rest,
    },
    {
      op: 'depthwise-conv',
      name: id,
      input: `${id}_point`,
      kernel: randomTensor(random, [3, 3, count, 1]),
      bias: randomTensor(random, [count]),
      ...rest,
    },
  ];
}

describe('padding as in TensorFlow', () => {
  it.each([
    // size, kernel, stride → output, before, after; from tensorflow.org, "Notes on padding"
    [224, 3, 2, 112, 0, 1],
    [15, 3, 2, 8, 1, 1],
    [13, 6, 5, 3, 1, 2],
    [7, 3, 1, 7, 1, 1],
    [4, 2, 1, 4, 0, 1],
    [8, 1, 2, 4, 0, 0],
  ])('same: size %i, kernel %i, stride %i', (sizePx, kernel, stride, outPx, before, after) => {
    expect(windowAlong(sizePx, kernel, stride, 'same')).toEqual({ outPx, before, after });
  });

  it('is known for a dynamic size at stride 1 only', () => {
    expect(windowAlong(null, 3, 1, 'same')).toEqual({ outPx: null, before: 1, after: 1 });
    expect(windowAlong(null, 3, 2, 'same').before).toBeNaN();
  });
});

describe('a network that does not fit is refused by the name of its node', () => {
  const bad = (nodes: NetworkNode[], node = nodes.at(-1)?.name ?? '') => {
    const network = { name: 'bad', nodes: [input, float, ...nodes], outputs: [{ name: 'out', node }] };
    return () => shapesOf(network);
  };
  const [point] = pair('a', 4) as [NetworkNode, NetworkNode];
  const unary = (op: 'mean' | 'softmax' | 'sigmoid', name: string, from: string): NetworkNode => ({
    op,
    name,
    input: from,
  });
  it.each([
    ['a value that is not there', bad([unary('mean', 'm', 'nowhere')]), /node m: reads nowhere/],
    ['a name used twice', bad([unary('sigmoid', 'float', 'picture')]), /node float: the name is taken twice/],
    ['a name with a slash', bad([unary('sigmoid', 'a/b', 'float')]), /a name holds/],
    ['softmax of a picture', bad([unary('softmax', 's', 'float')]), /node s: needs a vector/],
    [
      'unlike shapes added',
      bad([point, { op: 'add', name: 'sum', inputs: ['float', 'a_point'] }]),
      /node sum: adds two values of one shape/,
    ],
    [
      'a kernel of the wrong shape',
      bad([{ ...point, kernel: randomTensor(random, [1, 1, 4, 4]) } as NetworkNode]),
      /node a_point: weights of shape 1×1×4×4, expected 1×1×3×4/,
    ],
    [
      'channels that are not there',
      bad([{ op: 'slice-channels', name: 'cut', input: 'float', from: 2, count: 2 }]),
      /node cut: takes channels/,
    ],
    ['an output of no node', bad([unary('sigmoid', 's', 'float')], 'gone'), /output out shows no node/],
  ])('%s', (_title, run, message) => {
    expect(run).toThrow(expect.objectContaining({ code: 'EXPORT_NETWORK_INVALID' }));
    expect(run).toThrow(message);
  });
});

describe('rewriting', () => {
  const network: Network = {
    name: 'heads',
    nodes: [
      input,
      float,
      ...pair('a', 1),
      ...pair('b', 4),
      ...pair('c', 2),
      { op: 'sigmoid', name: 'sure', input: 'a' },
    ],
    outputs: [
      { name: 'score', node: 'sure' },
      { name: 'box', node: 'b' },
      { name: 'points', node: 'c' },
    ],
  };
  const pixels = randomPixels(random, [1, 8, 8, 3]);

  it('joins sibling branches into one pair without changing a number', () => {
    const merged = mergeSiblings(network);
    const count = (op: string) => merged.nodes.filter((node) => node.op === op).length;
    expect([count('conv'), count('depthwise-conv'), count('slice-channels')]).toEqual([1, 1, 3]);
    const before = runReference(network, pixels, [1, 8, 8, 3]);
    const after = runReference(merged, pixels, [1, 8, 8, 3]);
    for (const [name, { data }] of before)
      expect(largestDifference(after.get(name)?.data ?? [], data)).toBeLessThan(1e-12);
  });

  it('leaves a branch alone whose convolution is shown as an output', () => {
    const outputs = [...network.outputs, { name: 'raw', node: 'b_point' }];
    const merged = mergeSiblings({ ...network, outputs });
    expect(merged.nodes.filter((node) => node.op === 'conv').map((node) => node.name)).toEqual([
      'a_point_merged',
      'b_point',
    ]);
    expect(() => shapesOf(merged)).not.toThrow();
  });

  it('cuts at a node and drops what it does not need', () => {
    const cut = cutAt(network, 'b');
    expect(cut.nodes.map((node) => node.name)).toEqual(['picture', 'float', 'b_point', 'b']);
    expect(cut.outputs).toEqual([{ name: 'features', node: 'b' }]);
    expect(() => cutAt(network, 'gone')).toThrow(/no node gone/);
  });
});
