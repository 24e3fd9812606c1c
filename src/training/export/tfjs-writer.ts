import type { io } from '@tensorflow/tfjs-core';
import { type GraphDef, GraphDefBuilder, type WeightsEntry } from './graph-def.js';
import { type ConvNode, type Network, type NetworkNode, shapesOf, type ValueShape } from './network.js';

export interface TfjsWriterOptions {
  /** Store large weights as uint8 (where lossless) or float16; TensorFlow.js expands them at load. */
  readonly isCompact?: boolean;
}

/** A TensorFlow.js graph model: `model.json` and the weight file that it names. */
export interface TfjsModelFiles {
  readonly modelJson: {
    readonly format: 'graph-model';
    readonly generatedBy: string;
    readonly convertedBy: null;
    readonly signature: object;
    readonly modelTopology: GraphDef;
    readonly weightsManifest: readonly {
      readonly paths: readonly string[];
      readonly weights: readonly WeightsEntry[];
    }[];
  };
  readonly weightsFile: string;
  readonly weights: Uint8Array;
}

const INPUT_NAME = 'pixels';
const WEIGHTS_FILE = 'weights.bin';

/**
 * Writes the network as a TensorFlow.js graph model. Input `pixels`: batch × height × width × 3, declared
 * uint8, which TensorFlow.js holds as an int32 tensor. Outputs carry their public names.
 * Throws EXPORT_NETWORK_INVALID.
 */
export function writeTfjs(network: Network, options: TfjsWriterOptions = {}): TfjsModelFiles {
  const shapes = shapesOf(network);
  const graph = new GraphDefBuilder(options.isCompact ?? false);
  for (const node of network.nodes) writeNode(graph, node, shapes);
  for (const output of network.outputs) graph.add('Identity', output.name, [output.node]);
  const inputShape = shapes.get(network.nodes[0]?.name ?? '') as ValueShape;
  const tensorInfo = (name: string, dtype: string, shape: ValueShape) => ({
    name: `${name}:0`,
    dtype,
    tensorShape: { dim: dimensionsOf(shape).map((size) => ({ size: String(size) })) },
  });
  return {
    modelJson: {
      format: 'graph-model',
      generatedBy: 'maskwatch',
      convertedBy: null,
      signature: {
        inputs: { [INPUT_NAME]: tensorInfo(INPUT_NAME, 'DT_UINT8', inputShape) },
        outputs: Object.fromEntries(
          network.outputs.map(({ name, node }) => [
            name,
            tensorInfo(name, 'DT_FLOAT', shapes.get(node) as ValueShape),
          ]),
        ),
      },
      modelTopology: graph.graphDef(),
      weightsManifest: [{ paths: [WEIGHTS_FILE], weights: graph.weightEntries }],
    },
    weightsFile: WEIGHTS_FILE,
    weights: graph.weightBytes(),
  };
}

/** What `loadGraphModel(tf.io.fromMemory(…))` takes, without going through files. */
export function toModelArtifacts(files: TfjsModelFiles): io.ModelArtifacts {
  const { modelJson, weights } = files;
  return {
    format: modelJson.format,
    generatedBy: modelJson.generatedBy,
    signature: modelJson.signature,
    modelTopology: modelJson.modelTopology,
    weightSpecs: modelJson.weightsManifest.flatMap((group) => group.weights) as io.WeightsManifestEntry[],
    weightData: weights.buffer.slice(
      weights.byteOffset,
      weights.byteOffset + weights.byteLength,
    ) as ArrayBuffer,
  };
}

function dimensionsOf(shape: ValueShape): number[] {
  return shape.kind === 'vector'
    ? [-1, shape.channels]
    : [-1, shape.height ?? -1, shape.width ?? -1, shape.channels];
}

function writeNode(graph: GraphDefBuilder, node: NetworkNode, shapes: ReadonlyMap<string, ValueShape>): void {
  const { name } = node;
  switch (node.op) {
    case 'input':
      graph.addInput(INPUT_NAME, dimensionsOf(shapes.get(name) as ValueShape));
      graph.add('Cast', name, [INPUT_NAME], { SrcT: { type: 'DT_UINT8' }, DstT: { type: 'DT_FLOAT' } });
      break;
    case 'normalise':
      writeNormalise(graph, name, node.input, node.scale, node.offset);
      break;
    case 'conv':
    case 'depthwise-conv':
      writeConv(graph, node);
      break;
    case 'max-pool':
      graph.add('MaxPool', name, [node.input], {
        ksize: graph.ints([1, 2, 2, 1]),
        strides: graph.ints([1, 2, 2, 1]),
        padding: graph.string('VALID'),
        data_format: graph.string('NHWC'),
      });
      break;
    case 'upsample': {
      // Four copies side by side, dealt out to 2 × 2 pixels: unlike a resize it needs no size beforehand.
      const copies = `${name}_copies`;
      graph.add(
        'ConcatV2',
        copies,
        [node.input, node.input, node.input, node.input, graph.intConstant(`${copies}_axis`, [], [3])],
        {
          N: { i: '4' },
        },
      );
      graph.add('DepthToSpace', name, [copies], {
        block_size: { i: '2' },
        data_format: graph.string('NHWC'),
      });
      break;
    }
    case 'mean':
      graph.add('Mean', name, [node.input, graph.intConstant(`${name}_axes`, [2], [1, 2])], {
        keep_dims: { b: false },
      });
      break;
    case 'flatten': {
      const { channels } = shapes.get(name) as ValueShape;
      graph.add('Reshape', name, [node.input, graph.intConstant(`${name}_shape`, [2], [-1, channels])]);
      break;
    }
    case 'sigmoid':
      graph.add('Sigmoid', name, [node.input]);
      break;
    case 'softmax':
      graph.add('Softmax', name, [node.input]);
      break;
    case 'add':
      graph.add('AddV2', name, node.inputs);
      break;
    case 'concat':
      graph.add('ConcatV2', name, [...node.inputs, graph.intConstant(`${name}_axis`, [], [3])], {
        N: { i: String(node.inputs.length) },
      });
      break;
    case 'slice-channels':
      graph.add('Slice', name, [
        node.input,
        graph.intConstant(`${name}_begin`, [4], [0, 0, 0, node.from]),
        graph.intConstant(`${name}_size`, [4], [-1, -1, -1, node.count]),
      ]);
      break;
    case 'dense':
      graph.add(
        '_FusedMatMul',
        name,
        [node.input, graph.weights(`${name}_kernel`, node.kernel), graph.weights(`${name}_bias`, node.bias)],
        { ...fusion(graph, node.activation), transpose_a: { b: false }, transpose_b: { b: false } },
      );
      break;
  }
}

function writeNormalise(
  graph: GraphDefBuilder,
  name: string,
  input: string,
  scale: number,
  offset: number,
): void {
  let value = input;
  if (scale !== 1) {
    const scaled = offset === 0 ? name : `${name}_scaled`;
    value = graph.add('Mul', scaled, [value, graph.floatConstant(`${name}_scale`, scale)]);
  }
  if (offset !== 0) value = graph.add('AddV2', name, [value, graph.floatConstant(`${name}_offset`, offset)]);
  if (value === input) graph.add('Identity', name, [input]);
}

function writeConv(graph: GraphDefBuilder, node: ConvNode): void {
  const { padding } = node;
  const isExplicit = typeof padding === 'object';
  graph.add(
    node.op === 'conv' ? '_FusedConv2D' : 'FusedDepthwiseConv2dNative',
    node.name,
    [
      node.input,
      graph.weights(`${node.name}_kernel`, node.kernel),
      graph.weights(`${node.name}_bias`, node.bias),
    ],
    {
      ...fusion(graph, node.activation),
      strides: graph.ints([1, node.stride, node.stride, 1]),
      dilations: graph.ints([1, 1, 1, 1]),
      padding: graph.string(isExplicit ? 'EXPLICIT' : padding.toUpperCase()),
      explicit_paddings: graph.ints(
        isExplicit ? [0, 0, padding.top, padding.bottom, padding.left, padding.right, 0, 0] : [],
      ),
      data_format: graph.string('NHWC'),
    },
  );
}

function fusion(graph: GraphDefBuilder, activation: ConvNode['activation']) {
  const names = { none: [], relu: ['Relu'], relu6: ['Relu6'] }[activation];
  return {
    T: { type: 'DT_FLOAT' },
    fused_ops: graph.strings(['BiasAdd', ...names]),
    num_args: { i: '1' },
    epsilon: { f: 0 },
  };
}
