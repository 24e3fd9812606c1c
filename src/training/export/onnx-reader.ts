import { AppError } from '../../lib/errors.js';
import type { ConvNode, Network, NetworkNode, WeightTensor } from './network.js';
import {
  decodeOnnxModel,
  ONNX_TYPE,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from './onnx-protobuf.js';
import { transposed } from './transpose.js';

export interface OnnxReaderOptions {
  readonly name: string;
  /** Order in which the file's float input expects the channels; the network itself always takes RGB. */
  readonly colour: 'rgb' | 'bgr';
  readonly outputs: readonly string[];
}

/**
 * Reads a picture network from an ONNX file whose input is float32 batch × 3 × height × width in 0 … 255 and
 * made of the operators Conv, Relu, MaxPool 2 × 2, Resize × 2, Add, Sigmoid. A convolution of BGR is turned
 * into one of RGB by reordering its kernel. Outputs that the file transposes to channels-last and reshapes to
 * batch × cells × channels become pictures: the same numbers in the same order.
 * Throws `AppError` EXPORT_ONNX_UNSUPPORTED naming the operator.
 */
export function readOnnx(bytes: Uint8Array, options: OnnxReaderOptions): Network {
  let model: OnnxModel;
  try {
    model = decodeOnnxModel(bytes);
  } catch (cause) {
    throw unsupported('bytes that are not in the ONNX format', cause);
  }
  return new OnnxGraphReader(model, options).read();
}

class OnnxGraphReader {
  readonly #options: OnnxReaderOptions;
  readonly #producers = new Map<string, OnnxNode>();
  readonly #readers = new Map<string, OnnxNode[]>();
  readonly #initializers = new Map<string, OnnxTensor>();
  readonly #inputName: string;
  readonly #nodes: NetworkNode[] = [];
  /** ONNX value → node of the network. */
  readonly #names = new Map<string, string>();

  constructor({ graph }: OnnxModel, options: OnnxReaderOptions) {
    this.#options = options;
    for (const tensor of graph.initializer) this.#initializers.set(tensor.name ?? '', tensor);
    for (const node of graph.node) {
      for (const output of node.output) this.#producers.set(output, node);
      for (const input of node.input) this.#readers.set(input, [...(this.#readers.get(input) ?? []), node]);
    }
    this.#inputName = graph.input.find((input) => !this.#initializers.has(input.name))?.name ?? '';
  }

  read(): Network {
    this.#nodes.push(
      { op: 'input', name: 'picture', heightPx: null, widthPx: null },
      { op: 'normalise', name: 'float', input: 'picture', scale: 1, offset: 0 },
    );
    this.#names.set(this.#inputName, 'float');
    const outputs = this.#options.outputs.map((name) => ({ name, node: this.#value(name) }));
    return { name: this.#options.name, nodes: this.#nodes, outputs };
  }

  /** The network's node for an ONNX value; reads it, and what it needs, when it is new. */
  #value(valueName: string): string {
    const known = this.#names.get(valueName);
    if (known !== undefined) return known;
    const node = this.#producers.get(valueName);
    if (!node) throw unsupported(`value ${valueName} that no node produces`);
    const name = this.#read(node, valueName);
    this.#names.set(valueName, name);
    return name;
  }

  #read(node: OnnxNode, valueName: string): string {
    const [first = '', second = ''] = node.input;
    const name = `${node.opType.toLowerCase()}_${valueName}`;
    switch (node.opType) {
      case 'Conv':
        return this.#readConv(node, 'none');
      case 'Relu': {
        const producer = this.#producers.get(first);
        if (producer?.opType !== 'Conv' || this.#readers.get(first)?.length !== 1)
          throw unsupported('a Relu that does not directly and alone follow a Conv');
        return this.#readConv(producer, 'relu');
      }
      case 'MaxPool':
        expectInts(node, { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0], ceil_mode: [0] });
        return this.#push({ op: 'max-pool', name, input: this.#value(first) });
      case 'Resize': {
        const scales = this.#floats(node.input[2] ?? '');
        if (scales.data.join() !== '1,1,2,2') throw unsupported(`Resize by ${scales.data.join()}`);
        return this.#push({ op: 'upsample', name, input: this.#value(first) });
      }
      case 'Add':
        return this.#push({ op: 'add', name, inputs: [this.#value(first), this.#value(second)] });
      case 'Sigmoid':
        return this.#push({ op: 'sigmoid', name, input: this.#value(first) });
      case 'Reshape': {
        const transpose = this.#producers.get(first);
        if (transpose?.opType !== 'Transpose' || intsOf(transpose, 'perm')?.join() !== '0,2,3,1') break;
        return this.#value(transpose.input[0] ?? '');
      }
    }
    throw unsupported(`${node.opType} (value ${valueName})`);
  }

  #readConv(node: OnnxNode, activation: 'none' | 'relu'): string {
    const [inputName = '', kernelName = '', biasName = ''] = node.input;
    const input = this.#value(inputName);
    const stored = this.#floats(kernelName);
    const bias = this.#floats(biasName);
    const [out = 0, inPerGroup = 0, height = 0, width = 0] = stored.shape;
    const group = intsOf(node, 'group')?.[0] ?? 1;
    expectInts(node, { dilations: [1, 1] });
    // One channel in and out is one of both kinds; a depthwise convolution reads one channel for each it gives.
    const isDepthwise = group > 1 || (inPerGroup === 1 && out === 1);
    if (group > 1 && (group !== out || inPerGroup !== 1))
      throw unsupported('Conv with groups of several channels');
    const [stride = 1, strideAcross = 1] = intsOf(node, 'strides') ?? [1, 1];
    if (stride !== strideAcross || (stride !== 1 && stride !== 2))
      throw unsupported(`Conv of stride ${stride}`);
    const [top = 0, left = 0, bottom = 0, right = 0] = intsOf(node, 'pads') ?? [];
    const isSame =
      stride === 1 &&
      [top, bottom].every((px) => px * 2 === height - 1) &&
      [left, right].every((px) => px * 2 === width - 1);
    const kernel = transposed(stored, isDepthwise ? [2, 3, 0, 1] : [2, 3, 1, 0]);
    const conv: ConvNode = {
      op: isDepthwise ? 'depthwise-conv' : 'conv',
      name: `${isDepthwise ? 'depthwise' : 'conv'}_${node.output[0]}`,
      input,
      kernel: inputName === this.#inputName && this.#options.colour === 'bgr' ? swapRedBlue(kernel) : kernel,
      bias,
      stride,
      padding: isSame ? 'same' : { top, left, bottom, right },
      activation,
    };
    return this.#push(conv);
  }

  #push(node: NetworkNode): string {
    this.#nodes.push(node);
    return node.name;
  }

  #floats(name: string): WeightTensor {
    const tensor = this.#initializers.get(name);
    if (!tensor || tensor.dataType !== ONNX_TYPE.float)
      throw unsupported(`weights ${name} that are not float32`);
    const { rawData, floatData = [], dims } = tensor;
    // Copied, because protobuf gives views that are not aligned to four bytes.
    const data = rawData?.length
      ? new Float32Array(new Uint8Array(rawData).buffer)
      : Float32Array.from(floatData);
    return { shape: dims, data };
  }
}

function swapRedBlue(kernel: WeightTensor): WeightTensor {
  const [height = 0, width = 0, channels = 0, out = 0] = kernel.shape;
  const data = new Float32Array(kernel.data.length);
  for (let pixel = 0; pixel < height * width; pixel++)
    for (let channel = 0; channel < channels; channel++) {
      const from = (pixel * channels + channels - 1 - channel) * out;
      data.set(kernel.data.subarray(from, from + out), (pixel * channels + channel) * out);
    }
  return { shape: kernel.shape, data };
}

function intsOf(node: OnnxNode, name: string): readonly number[] | undefined {
  const attribute = node.attribute.find((candidate) => candidate.name === name);
  if (!attribute) return undefined;
  return attribute.ints?.length ? attribute.ints : [attribute.i ?? 0];
}

function expectInts(node: OnnxNode, expected: Readonly<Record<string, readonly number[]>>): void {
  for (const [name, values] of Object.entries(expected)) {
    const found = intsOf(node, name);
    if (found && found.join() !== values.join())
      throw unsupported(`${node.opType} with ${name} ${found.join()}`);
  }
}

function unsupported(what: string, cause?: unknown): AppError {
  return new AppError('EXPORT_ONNX_UNSUPPORTED', `the ONNX file has ${what}, which cannot be read here`, {
    cause,
  });
}
