import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ConvNode, Network, NetworkNode, WeightTensor } from '../../src/training/export/network.js';
import { decodeWeights, type WeightSpec } from '../../src/training/export/tfjs-weights.js';

interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: Readonly<
    Record<string, { readonly s?: string; readonly list?: { readonly i?: string[]; readonly s?: string[] } }>
  >;
}

/**
 * The network of a shipped detector, read from its TensorFlow.js form: training begins from the published file, which
 * is not in the repository. Knows what the writer makes of YuNet and nothing else.
 */
export async function readShippedDetector(modelDir: string): Promise<Network> {
  const folder = join(modelDir, 'tfjs');
  const { modelTopology, signature, weightsManifest } = JSON.parse(
    await readFile(join(folder, 'model.json'), 'utf8'),
  ) as {
    modelTopology: { node: GraphNode[] };
    signature: { outputs: Record<string, unknown> };
    weightsManifest: [{ weights: WeightSpec[] }];
  };
  // Integers are four bytes too: read as floats, their bits stay (see `intsOf`).
  const specs = weightsManifest[0].weights.map((spec) => ({ ...spec, dtype: 'float32' }));
  const weights = decodeWeights(specs, await readFile(join(folder, 'weights.bin')));
  const named = new Map(modelTopology.node.map((node) => [node.name, node]));
  const outputs = Object.keys(signature.outputs);
  const nodes: NetworkNode[] = [];
  for (const node of modelTopology.node) {
    const isHelper = node.op === 'Const' || node.op === 'Placeholder' || node.op === 'ConcatV2';
    if (!isHelper && !outputs.includes(node.name)) nodes.push(networkNode(node, named, weights));
  }
  return {
    name: basename(modelDir),
    nodes,
    outputs: outputs.map((name) => ({ name, node: named.get(name)!.input![0]! })),
  };
}

function networkNode(
  node: GraphNode,
  named: ReadonlyMap<string, GraphNode>,
  weights: ReadonlyMap<string, WeightTensor>,
): NetworkNode {
  const { name, op, input = [] } = node;
  const [first = '', second = ''] = input;
  switch (op) {
    case 'Cast':
      return { op: 'input', name, heightPx: null, widthPx: null };
    case 'Identity':
      return { op: 'normalise', name, input: first, scale: 1, offset: 0 };
    case '_FusedConv2D':
    case 'FusedDepthwiseConv2dNative':
      return convNode(node, weights);
    case 'MaxPool':
      return { op: 'max-pool', name, input: first };
    case 'DepthToSpace':
      return { op: 'upsample', name, input: named.get(first)!.input![0]! };
    case 'AddV2':
      return { op: 'add', name, inputs: [first, second] };
    case 'Sigmoid':
      return { op: 'sigmoid', name, input: first };
    case 'Slice': {
      const channels = (constant: string) => intsOf(weights.get(constant)!)[3]!;
      return {
        op: 'slice-channels',
        name,
        input: first,
        from: channels(second),
        count: channels(input[2]!),
      };
    }
    default:
      throw new Error(`${name}: ${op} is not read`);
  }
}

function convNode(node: GraphNode, weights: ReadonlyMap<string, WeightTensor>): ConvNode {
  const [input = '', kernel = '', bias = ''] = node.input ?? [];
  const ints = (name: string) => node.attr[name]!.list!.i!.map(Number);
  const text = (value: string) => Buffer.from(value, 'base64').toString();
  const [, , top = 0, bottom = 0, left = 0, right = 0] = ints('explicit_paddings');
  const padding = text(node.attr.padding!.s!);
  return {
    op: node.op === '_FusedConv2D' ? 'conv' : 'depthwise-conv',
    name: node.name,
    input,
    kernel: weights.get(kernel)!,
    bias: weights.get(bias)!,
    stride: ints('strides')[1] === 2 ? 2 : 1,
    padding: padding === 'EXPLICIT' ? { top, left, bottom, right } : padding === 'SAME' ? 'same' : 'valid',
    activation: node.attr.fused_ops!.list!.s!.map(text).includes('Relu') ? 'relu' : 'none',
  };
}

function intsOf({ data }: WeightTensor): Int32Array {
  return new Int32Array(data.buffer as ArrayBuffer, data.byteOffset, data.length);
}
