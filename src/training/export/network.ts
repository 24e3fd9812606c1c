import { AppError } from '../../lib/errors.js';

/**
 * A small description of a feed-forward picture network, from which an ONNX file and a TensorFlow.js graph
 * model are written, so that both engines compute the same. Values are batch × height × width × channels
 * ("picture") or batch × channels ("vector"); the batch is always dynamic. Weights stand in TensorFlow's layouts.
 */

export type Activation = 'none' | 'relu' | 'relu6';

/** `same` as TensorFlow defines it: output = ceil(input / stride), the odd pixel of padding below and right. */
export type Padding = 'same' | 'valid' | { top: number; left: number; bottom: number; right: number };

export interface WeightTensor {
  readonly shape: readonly number[];
  /** Row-major; read only, shared with whoever gave it. */
  readonly data: Float32Array;
}

interface NodeBase {
  /** Unique; letters, digits, `_`, `-` and `.`. */
  readonly name: string;
}
/** uint8 RGB picture. A side of null is dynamic. */
export interface InputNode extends NodeBase {
  readonly op: 'input';
  readonly heightPx: number | null;
  readonly widthPx: number | null;
}
/** Cast to float32, then value × scale + offset. Directly after the input only. */
export interface NormaliseNode extends NodeBase {
  readonly op: 'normalise';
  readonly input: string;
  readonly scale: number;
  readonly offset: number;
}
/**
 * Convolution, bias, activation. Kernel of `conv`: height × width × in × out; of `depthwise-conv`:
 * height × width × channels × 1.
 */
export interface ConvNode extends NodeBase {
  readonly op: 'conv' | 'depthwise-conv';
  readonly input: string;
  readonly kernel: WeightTensor;
  readonly bias: WeightTensor;
  readonly stride: 1 | 2;
  readonly padding: Padding;
  readonly activation: Activation;
}
/**
 * `max-pool`: 2 × 2, stride 2, a last odd row or column dropped. `upsample`: each pixel becomes 2 × 2.
 * `mean`: picture → vector, the average over all pixels. `flatten`: picture of fixed size → vector, in
 * row, column, channel order. `softmax` over a vector; `sigmoid` of anything.
 */
export interface UnaryNode extends NodeBase {
  readonly op: 'max-pool' | 'upsample' | 'mean' | 'flatten' | 'sigmoid' | 'softmax';
  readonly input: string;
}
/** `add`: two of one shape. `concat`: pictures of one size, joined by channel. */
export interface JoinNode extends NodeBase {
  readonly op: 'add' | 'concat';
  readonly inputs: readonly [string, string, ...string[]];
}
/** Channels `from` … `from + count − 1` of a picture. */
export interface SliceNode extends NodeBase {
  readonly op: 'slice-channels';
  readonly input: string;
  readonly from: number;
  readonly count: number;
}
/** Vector × kernel (in × out) + bias, activation. */
export interface DenseNode extends NodeBase {
  readonly op: 'dense';
  readonly input: string;
  readonly kernel: WeightTensor;
  readonly bias: WeightTensor;
  readonly activation: Activation;
}
export type NetworkNode = InputNode | NormaliseNode | ConvNode | UnaryNode | JoinNode | SliceNode | DenseNode;

export interface Network {
  readonly name: string;
  /** Each node stands after those that it reads; the first is the only input. */
  readonly nodes: readonly NetworkNode[];
  /** `name` is the public name of the output, unlike every node's; `node` is what it shows. */
  readonly outputs: readonly { readonly name: string; readonly node: string }[];
}

/** Shape of a value without its batch; a side of null is dynamic. */
export type ValueShape =
  | {
      readonly kind: 'picture';
      readonly height: number | null;
      readonly width: number | null;
      readonly channels: number;
    }
  | { readonly kind: 'vector'; readonly channels: number };

/** The nodes that `node` reads, in order. */
export function inputsOf(node: NetworkNode): readonly string[] {
  if (node.op === 'input') return [];
  return 'inputs' in node ? node.inputs : [node.input];
}

/** Output size and padding of a strided window along one side; the size is null when the input's is. */
export function windowAlong(
  sizePx: number | null,
  kernel: number,
  stride: number,
  padding: 'same' | 'valid' | readonly [before: number, after: number],
): { outPx: number | null; before: number; after: number } {
  if (padding === 'same') {
    // TensorFlow: total = max((ceil(n / s) − 1) · s + k − n, 0). Only at stride 1 is it the same for every n.
    if (sizePx === null && stride !== 1) return { outPx: null, before: Number.NaN, after: Number.NaN };
    const outPx = sizePx === null ? null : Math.ceil(sizePx / stride);
    const total =
      sizePx === null ? kernel - 1 : Math.max(((outPx as number) - 1) * stride + kernel - sizePx, 0);
    return { outPx, before: Math.floor(total / 2), after: total - Math.floor(total / 2) };
  }
  const [before, after] = padding === 'valid' ? [0, 0] : padding;
  const outPx = sizePx === null ? null : Math.floor((sizePx + before + after - kernel) / stride) + 1;
  return { outPx, before, after };
}

/** Padding of a convolution by side. NaN where it depends on a dynamic size (`same` at stride 2). */
export function paddingOf(
  node: ConvNode,
  input: Extract<ValueShape, { kind: 'picture' }>,
): { height: ReturnType<typeof windowAlong>; width: ReturnType<typeof windowAlong> } {
  const { padding, stride } = node;
  const [kernelHeight = 0, kernelWidth = 0] = node.kernel.shape;
  const explicit = typeof padding === 'object';
  return {
    height: windowAlong(
      input.height,
      kernelHeight,
      stride,
      explicit ? [padding.top, padding.bottom] : padding,
    ),
    width: windowAlong(input.width, kernelWidth, stride, explicit ? [padding.left, padding.right] : padding),
  };
}

/**
 * Checks the network and gives the shape of every node's value. Throws `AppError` EXPORT_NETWORK_INVALID
 * naming the node when a name is missing or double, or shapes do not fit.
 */
export function shapesOf(network: Network): ReadonlyMap<string, ValueShape> {
  const shapes = new Map<string, ValueShape>();
  for (const [index, node] of network.nodes.entries()) {
    const fail = (why: string): never => {
      throw new AppError('EXPORT_NETWORK_INVALID', `network ${network.name}, node ${node.name}: ${why}`);
    };
    if (!/^[A-Za-z0-9][\w.-]*$/.test(node.name)) fail('a name holds letters, digits, _, - and . only');
    if (shapes.has(node.name)) fail('the name is taken twice');
    if ((node.op === 'input') !== (index === 0)) fail('the input, and only it, stands first');
    const inputs = inputsOf(node).map(
      (name) => shapes.get(name) ?? fail(`reads ${name}, which is not there`),
    );
    shapes.set(node.name, shapeOf(node, inputs, fail));
  }
  for (const output of network.outputs) {
    if (shapes.has(output.node) && !shapes.has(output.name)) continue;
    throw new AppError(
      'EXPORT_NETWORK_INVALID',
      `network ${network.name}: output ${output.name} shows no node, or has a node's name`,
    );
  }
  return shapes;
}

function shapeOf(node: NetworkNode, inputs: readonly ValueShape[], fail: (why: string) => never): ValueShape {
  if (node.op === 'input')
    return { kind: 'picture', height: node.heightPx, width: node.widthPx, channels: 3 };
  const first = inputs[0] ?? fail('reads nothing');
  const picture = () => (first.kind === 'picture' ? first : fail('needs a picture'));
  const vector = () => (first.kind === 'vector' ? first : fail('needs a vector'));
  const expect = (tensor: WeightTensor, shape: readonly number[]) => {
    const length = shape.reduce((product, side) => product * side, 1);
    if (tensor.shape.join() !== shape.join() || tensor.data.length !== length)
      fail(`weights of shape ${tensor.shape.join('×')}, expected ${shape.join('×')}`);
  };
  switch (node.op) {
    case 'conv':
    case 'depthwise-conv': {
      const input = picture();
      const [kernelHeight = 0, kernelWidth = 0, , last = 0] = node.kernel.shape;
      const out = node.op === 'conv' ? last : input.channels;
      expect(node.kernel, [kernelHeight, kernelWidth, input.channels, node.op === 'conv' ? out : 1]);
      expect(node.bias, [out]);
      const { height, width } = paddingOf(node, input);
      return { kind: 'picture', height: height.outPx, width: width.outPx, channels: out };
    }
    case 'max-pool':
    case 'upsample': {
      const input = picture();
      const resize = (px: number | null) =>
        px === null ? null : node.op === 'upsample' ? px * 2 : Math.floor(px / 2);
      return { ...input, height: resize(input.height), width: resize(input.width) };
    }
    case 'mean':
      return { kind: 'vector', channels: picture().channels };
    case 'flatten': {
      const { height, width, channels } = picture();
      if (height === null || width === null) return fail('needs a picture of fixed size');
      return { kind: 'vector', channels: height * width * channels };
    }
    case 'dense': {
      const out = node.kernel.shape[1] ?? 0;
      expect(node.kernel, [vector().channels, out]);
      expect(node.bias, [out]);
      return { kind: 'vector', channels: out };
    }
    case 'add':
      if (inputs.length !== 2 || inputs.some((input) => JSON.stringify(input) !== JSON.stringify(first)))
        return fail('adds two values of one shape');
      return first;
    case 'concat': {
      let channels = 0;
      for (const input of inputs) {
        if (input.kind !== 'picture' || input.height !== picture().height || input.width !== picture().width)
          return fail('joins pictures of one size');
        channels += input.channels;
      }
      return { ...picture(), channels };
    }
    case 'slice-channels':
      if (node.from < 0 || node.count < 1 || node.from + node.count > picture().channels)
        fail('takes channels that are not there');
      return { ...picture(), channels: node.count };
    case 'normalise':
      if (node.scale === 0) fail('scale is 0');
      return picture();
    case 'softmax':
      return vector();
    case 'sigmoid':
      return first;
  }
}

/** The network up to `nodeName`, whose value becomes the only output; what it does not need is left out. */
export function cutAt(network: Network, nodeName: string, outputName = 'features'): Network {
  const needed = new Set([nodeName]);
  const nodes: NetworkNode[] = [];
  for (const node of [...network.nodes].reverse()) {
    if (!needed.has(node.name)) continue;
    for (const input of inputsOf(node)) needed.add(input);
    nodes.unshift(node);
  }
  if (nodes.at(-1)?.name !== nodeName)
    throw new AppError('EXPORT_NETWORK_INVALID', `network ${network.name} has no node ${nodeName}`);
  return { name: `${network.name}-${nodeName}`, nodes, outputs: [{ name: outputName, node: nodeName }] };
}
