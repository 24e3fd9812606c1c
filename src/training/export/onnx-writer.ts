import {
  type ConvNode,
  type Network,
  type NetworkNode,
  paddingOf,
  shapesOf,
  type ValueShape,
  type WeightTensor,
} from './network.js';
import {
  encodeOnnxModel,
  ONNX_ATTRIBUTE,
  ONNX_TYPE,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from './onnx-protobuf.js';
import { packedBytes, packTensor } from './packed-weights.js';
import { transposed } from './transpose.js';

/** All operators used here are defined by operator set 17; any ONNX Runtime of the last years has it. */
const OPSET_VERSION = 17;
/** ONNX IR version that goes with operator set 17. */
const IR_VERSION = 8;
const INPUT_NAME = 'pixels';

export interface OnnxWriterOptions {
  /** Store large weights as uint8 (where lossless) or float16; ONNX Runtime expands them once, at load. */
  readonly isCompact?: boolean;
}

/**
 * Writes the network as ONNX. Input `pixels`: uint8 batch × height × width × 3; the transpose to ONNX's
 * channels-first layout, and the one back for picture outputs, stand in the graph. Throws
 * EXPORT_NETWORK_INVALID.
 */
export function writeOnnx(network: Network, options: OnnxWriterOptions = {}): Uint8Array {
  return encodeOnnxModel(new OnnxGraphBuilder(network, options.isCompact ?? false).build());
}

class OnnxGraphBuilder {
  readonly #network: Network;
  readonly #isCompact: boolean;
  readonly #shapes: ReadonlyMap<string, ValueShape>;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];

  constructor(network: Network, isCompact: boolean) {
    this.#network = network;
    this.#isCompact = isCompact;
    this.#shapes = shapesOf(network);
  }

  build() {
    const { name, nodes, outputs } = this.#network;
    for (const node of nodes) this.#write(node);
    const outputInfos = outputs.map((output) => this.#writeOutput(output.name, output.node));
    return {
      irVersion: IR_VERSION,
      producerName: 'maskwatch',
      opsetImport: [{ domain: '', version: OPSET_VERSION }],
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: [valueInfo(INPUT_NAME, ONNX_TYPE.uint8, this.#shape(nodes[0]?.name ?? ''))],
        output: outputInfos,
      },
    };
  }

  /** Adds what computes the node; returns the value's name, which is the node's. */
  #write(node: NetworkNode): string {
    switch (node.op) {
      case 'input':
        // Before or after the cast makes no measurable difference (0.10 + 0.05 ms of 4 at 640 × 384).
        return this.#add('Transpose', node.name, [INPUT_NAME], [ints('perm', [0, 3, 1, 2])]);
      case 'normalise':
        return this.#writeNormalise(node.name, node.input, node.scale, node.offset);
      case 'conv':
      case 'depthwise-conv':
        return this.#writeConv(node);
      case 'max-pool':
        return this.#add(
          'MaxPool',
          node.name,
          [node.input],
          [ints('kernel_shape', [2, 2]), ints('strides', [2, 2])],
        );
      case 'upsample':
        return this.#add(
          'Resize',
          node.name,
          [node.input, '', this.#floats(`${node.name}_scales`, [1, 1, 2, 2])],
          [
            string('coordinate_transformation_mode', 'asymmetric'),
            string('mode', 'nearest'),
            string('nearest_mode', 'floor'),
          ],
        );
      case 'mean':
        this.#add('GlobalAveragePool', `${node.name}_pooled`, [node.input]);
        return this.#add('Flatten', node.name, [`${node.name}_pooled`], [int('axis', 1)]);
      case 'flatten':
        this.#add('Transpose', `${node.name}_last`, [node.input], [ints('perm', [0, 2, 3, 1])]);
        return this.#add('Flatten', node.name, [`${node.name}_last`], [int('axis', 1)]);
      case 'sigmoid':
        return this.#add('Sigmoid', node.name, [node.input]);
      case 'softmax':
        return this.#add('Softmax', node.name, [node.input], [int('axis', 1)]);
      case 'add':
        return this.#add('Add', node.name, node.inputs);
      case 'concat':
        return this.#add('Concat', node.name, node.inputs, [int('axis', 1)]);
      case 'slice-channels':
        return this.#add('Slice', node.name, [
          node.input,
          this.#int64s(`${node.name}_starts`, [node.from]),
          this.#int64s(`${node.name}_ends`, [node.from + node.count]),
          this.#int64s(`${node.name}_axes`, [1]),
        ]);
      case 'dense': {
        const inputs = [
          node.input,
          this.#weights(`${node.name}_kernel`, node.kernel),
          this.#weights(`${node.name}_bias`, node.bias),
        ];
        return this.#addActivated('Gemm', node.name, inputs, [], node.activation);
      }
    }
  }

  #writeNormalise(name: string, input: string, scale: number, offset: number): string {
    const steps: [opType: string, constant: number | undefined][] = [['Cast', undefined]];
    if (scale !== 1) steps.push(['Mul', scale]);
    if (offset !== 0) steps.push(['Add', offset]);
    let value = input;
    for (const [index, [opType, constant]] of steps.entries()) {
      const output = index === steps.length - 1 ? name : `${name}_${opType.toLowerCase()}`;
      if (constant === undefined) this.#add(opType, output, [value], [int('to', ONNX_TYPE.float)]);
      else this.#add(opType, output, [value, this.#scalar(`${output}_by`, constant)]);
      value = output;
    }
    return value;
  }

  #writeConv(node: ConvNode): string {
    const input = this.#shape(node.input) as Extract<ValueShape, { kind: 'picture' }>;
    const [height = 0, width = 0] = node.kernel.shape;
    const { height: vertical, width: horizontal } = paddingOf(node, input);
    const pads = [vertical.before, horizontal.before, vertical.after, horizontal.after];
    const attributes = [
      ints('kernel_shape', [height, width]),
      ints('strides', [node.stride, node.stride]),
      int('group', node.op === 'conv' ? 1 : input.channels),
      // SAME_UPPER is TensorFlow's SAME; written only where the padding hangs on a dynamic size.
      pads.some(Number.isNaN) ? string('auto_pad', 'SAME_UPPER') : ints('pads', pads),
    ];
    // TensorFlow: h, w, in, out (depthwise: h, w, channels, 1). ONNX: out, in / group, h, w.
    const kernel = transposed(node.kernel, node.op === 'conv' ? [3, 2, 0, 1] : [2, 3, 0, 1]);
    const inputs = [
      node.input,
      this.#weights(`${node.name}_kernel`, kernel),
      this.#weights(`${node.name}_bias`, node.bias),
    ];
    return this.#addActivated('Conv', node.name, inputs, attributes, node.activation);
  }

  #addActivated(
    opType: string,
    name: string,
    inputs: readonly string[],
    attributes: OnnxAttribute[],
    activation: ConvNode['activation'],
  ): string {
    if (activation === 'none') return this.#add(opType, name, inputs, attributes);
    const linear = `${name}_linear`;
    this.#add(opType, linear, inputs, attributes);
    if (activation === 'relu') return this.#add('Relu', name, [linear]);
    return this.#add('Clip', name, [linear, this.#scalar(`${name}_min`, 0), this.#scalar(`${name}_max`, 6)]);
  }

  #writeOutput(name: string, node: string): OnnxValueInfo {
    const shape = this.#shape(node);
    if (shape.kind === 'picture') this.#add('Transpose', name, [node], [ints('perm', [0, 2, 3, 1])]);
    else this.#add('Identity', name, [node]);
    return valueInfo(name, ONNX_TYPE.float, shape);
  }

  #shape(node: string): ValueShape {
    return this.#shapes.get(node) as ValueShape;
  }

  #add(opType: string, output: string, input: readonly string[], attribute: OnnxAttribute[] = []): string {
    this.#nodes.push({ opType, name: output, input: [...input], output: [output], attribute });
    return output;
  }

  #initializer(name: string, dims: readonly number[], dataType: number, rawData: Uint8Array): string {
    this.#initializers.push({ name, dims: [...dims], dataType, rawData });
    return name;
  }

  #weights(name: string, tensor: WeightTensor): string {
    const packed = packTensor(tensor, this.#isCompact);
    const bytes = packedBytes(packed);
    if (packed.storage === 'float32') return this.#initializer(name, packed.shape, ONNX_TYPE.float, bytes);
    const stored = this.#initializer(
      `${name}_${packed.storage}`,
      packed.shape,
      ONNX_TYPE[packed.storage],
      bytes,
    );
    if (packed.storage === 'float16') {
      return this.#add('Cast', name, [stored], [int('to', ONNX_TYPE.float)]);
    }
    // Not DequantizeLinear: ONNX Runtime leaves that one unfolded and would expand the weights at every run.
    this.#add('Cast', `${name}_cast`, [stored], [int('to', ONNX_TYPE.float)]);
    this.#add('Mul', `${name}_scaled`, [`${name}_cast`, this.#scalar(`${name}_scale`, packed.scale)]);
    return this.#add('Add', name, [`${name}_scaled`, this.#scalar(`${name}_min`, packed.min)]);
  }

  #floats(name: string, values: readonly number[]): string {
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    return this.#initializer(name, [values.length], ONNX_TYPE.float, bytes);
  }

  #scalar(name: string, value: number): string {
    return this.#initializer(name, [], ONNX_TYPE.float, new Uint8Array(Float32Array.of(value).buffer));
  }

  #int64s(name: string, values: readonly number[]): string {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#initializer(name, [values.length], ONNX_TYPE.int64, bytes);
  }
}

function valueInfo(name: string, elemType: number, shape: ValueShape): OnnxValueInfo {
  const side = (px: number | null, dimParam: string) => (px === null ? { dimParam } : { dimValue: px });
  const dim =
    shape.kind === 'vector'
      ? [{ dimParam: 'batch' }, { dimValue: shape.channels }]
      : [
          { dimParam: 'batch' },
          side(shape.height, `${name}_height`),
          side(shape.width, `${name}_width`),
          { dimValue: shape.channels },
        ];
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function int(name: string, i: number): OnnxAttribute {
  return { name, type: ONNX_ATTRIBUTE.int, i };
}
function ints(name: string, values: number[]): OnnxAttribute {
  return { name, type: ONNX_ATTRIBUTE.ints, ints: values };
}
function string(name: string, value: string): OnnxAttribute {
  return { name, type: ONNX_ATTRIBUTE.string, s: new TextEncoder().encode(value) };
}
