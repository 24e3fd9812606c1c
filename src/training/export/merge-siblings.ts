import { type ConvNode, inputsOf, type Network, type NetworkNode, type WeightTensor } from './network.js';

/** A convolution that nothing but one depthwise convolution reads. */
interface Branch {
  readonly conv: ConvNode;
  readonly depthwise: ConvNode;
}

/**
 * Joins the branches of detection heads: where several pairs of convolution and depthwise convolution with the
 * same settings start at one value, one pair computes them all and slices take its channels apart. The numbers
 * stay the same; runtimes are slow at convolutions of one or four channels, and read the shared input once.
 */
export function mergeSiblings(network: Network): Network {
  const readers = new Map<string, NetworkNode[]>();
  for (const node of network.nodes)
    for (const input of inputsOf(node)) readers.set(input, [...(readers.get(input) ?? []), node]);
  const isOutput = new Set(network.outputs.map((output) => output.node));

  const groups = new Map<string, Branch[]>();
  for (const conv of network.nodes) {
    if (conv.op !== 'conv' || isOutput.has(conv.name)) continue;
    const [depthwise, ...others] = readers.get(conv.name) ?? [];
    if (depthwise?.op !== 'depthwise-conv' || others.length > 0) continue;
    const key = JSON.stringify([conv.input, settingsOf(conv), settingsOf(depthwise)]);
    groups.set(key, [...(groups.get(key) ?? []), { conv, depthwise }]);
  }

  const replacements = new Map<string, readonly NetworkNode[]>();
  for (const branches of groups.values()) {
    if (branches.length < 2) continue;
    const [first] = branches as [Branch, ...Branch[]];
    for (const { conv, depthwise } of branches) {
      replacements.set(conv.name, []);
      replacements.set(depthwise.name, []);
    }
    // All stand where the first convolution stood: they need nothing but its input.
    replacements.set(first.conv.name, merged(branches));
  }
  const nodes = network.nodes.flatMap((node) => replacements.get(node.name) ?? [node]);
  return { ...network, nodes };
}

function settingsOf({ kernel, stride, padding, activation }: ConvNode): unknown {
  return [kernel.shape.slice(0, 2), stride, padding, activation];
}

function merged(branches: readonly [Branch, ...Branch[]] | readonly Branch[]): NetworkNode[] {
  const { conv, depthwise } = branches[0] as Branch;
  const convName = `${conv.name}_merged`;
  const depthwiseName = `${depthwise.name}_merged`;
  const nodes: NetworkNode[] = [
    {
      ...conv,
      name: convName,
      kernel: joined(
        branches.map((branch) => branch.conv.kernel),
        3,
      ),
      bias: joined(
        branches.map((branch) => branch.conv.bias),
        0,
      ),
    },
    {
      ...depthwise,
      name: depthwiseName,
      input: convName,
      kernel: joined(
        branches.map((branch) => branch.depthwise.kernel),
        2,
      ),
      bias: joined(
        branches.map((branch) => branch.depthwise.bias),
        0,
      ),
    },
  ];
  let from = 0;
  for (const branch of branches) {
    const count = branch.depthwise.bias.data.length;
    nodes.push({ op: 'slice-channels', name: branch.depthwise.name, input: depthwiseName, from, count });
    from += count;
  }
  return nodes;
}

/** Joins tensors that agree in all axes but one. */
function joined(tensors: readonly WeightTensor[], axis: number): WeightTensor {
  const shape = [...(tensors[0]?.shape ?? [])];
  shape[axis] = tensors.reduce((sum, tensor) => sum + (tensor.shape[axis] ?? 0), 0);
  const data = new Float32Array(shape.reduce((product, side) => product * side, 1));
  const outer = shape.slice(0, axis).reduce((product, side) => product * side, 1);
  let at = 0;
  for (let row = 0; row < outer; row++)
    for (const tensor of tensors) {
      const length = tensor.data.length / outer;
      data.set(tensor.data.subarray(row * length, (row + 1) * length), at);
      at += length;
    }
  return { shape, data };
}
