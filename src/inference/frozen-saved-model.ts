import type { io } from '@tensorflow/tfjs-core';
import { AppError } from '../lib/errors.js';
import { fromFloat16 } from '../lib/float16.js';
import { encodeSavedModelMessage } from './saved-model-protobuf.js';

/** A node of a TensorFlow.js graph model's topology, in protobuf's JSON mapping. */
interface JsonNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, unknown>>;
}
interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, unknown>>;
}

/** Operations of TensorFlow.js's own making, and what they are in TensorFlow before the bias is added. */
const FUSED_OPERATIONS: Readonly<Record<string, string>> = {
  _FusedConv2D: 'Conv2D',
  FusedDepthwiseConv2dNative: 'DepthwiseConv2dNative',
  _FusedMatMul: 'MatMul',
};
const FUSION_ATTRIBUTES = new Set(['fused_ops', 'num_args', 'epsilon']);
const FLOAT = { T: { type: 'DT_FLOAT' } };

/**
 * A TensorFlow.js graph model as a frozen SavedModel: the bytes of `saved_model.pb`, which is the whole of it, as
 * every weight is a constant (float32). Tag `serve`, signature `serving_default`, inputs and outputs named as in
 * the graph model's signature. Native TensorFlow runs it several times faster than the graph model, which it would
 * execute operation by operation. Fused operations are taken apart; TensorFlow's own optimiser fuses them again.
 * Throws `AppError` MODEL_INVALID when a weight or the signature is missing.
 */
export function frozenSavedModel(artifacts: io.ModelArtifacts): Uint8Array {
  const topology = artifacts.modelTopology as { readonly node?: readonly JsonNode[] } | undefined;
  const signature = artifacts.signature as
    | { readonly inputs: Record<string, unknown>; readonly outputs: Record<string, unknown> }
    | undefined;
  if (!topology?.node || !signature)
    throw new AppError('MODEL_INVALID', 'the TensorFlow.js graph model has no nodes or no signature');
  const weights = constantsOf(artifacts);
  return encodeSavedModelMessage({
    savedModelSchemaVersion: 1,
    metaGraphs: [
      {
        metaInfoDef: { tags: ['serve'] },
        graphDef: {
          node: topology.node.flatMap((node) =>
            node.op === 'Const' ? [constantNode(node, weights)] : plainNodes(node),
          ),
          versions: { producer: 987 },
        },
        signatureDef: {
          serving_default: { ...signature, methodName: 'tensorflow/serving/predict' },
        },
      },
    ],
  });
}

interface Constant {
  readonly dtype: 'DT_FLOAT' | 'DT_INT32';
  readonly shape: readonly number[];
  /** Little-endian elements. */
  readonly bytes: Uint8Array;
}

/** Every weight of the graph model by name, expanded to what TensorFlow computes with. */
function constantsOf({ weightSpecs = [], weightData }: io.ModelArtifacts): Map<string, Constant> {
  const buffers = Array.isArray(weightData) ? weightData : [weightData ?? new ArrayBuffer(0)];
  const data = Buffer.concat(buffers.map((buffer) => new Uint8Array(buffer)));
  const constants = new Map<string, Constant>();
  let at = 0;
  for (const { name, shape, dtype, quantization } of weightSpecs) {
    const count = shape.reduce((product, side) => product * side, 1);
    const stored = quantization?.dtype ?? dtype;
    const elementBytes = { uint8: 1, uint16: 2, float16: 2, float32: 4, int32: 4 }[stored as string] ?? 0;
    const bytes = data.subarray(at, at + count * elementBytes);
    if (elementBytes === 0 || bytes.length !== count * elementBytes)
      throw new AppError('MODEL_INVALID', `weight ${name} is cut off, or stored as ${stored}`);
    at += bytes.length;
    const values = expand(bytes, stored, quantization);
    constants.set(name, { dtype: dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT', shape, bytes: values });
  }
  return constants;
}

function expand(
  bytes: Buffer,
  stored: string,
  quantization: io.WeightsManifestEntry['quantization'],
): Uint8Array {
  if (!quantization) return bytes;
  const { scale = 1, min = 0 } = quantization as { scale?: number; min?: number };
  // A copy, as the part of the file need not start at an even byte.
  const words = stored === 'uint8' ? bytes : new Uint16Array(Uint8Array.from(bytes).buffer);
  const values =
    stored === 'float16'
      ? fromFloat16(words as Uint16Array)
      : Float32Array.from(words, (value) => value * scale + min);
  return new Uint8Array(values.buffer);
}

function constantNode({ name }: JsonNode, weights: ReadonlyMap<string, Constant>): GraphNode {
  const constant = weights.get(name);
  if (!constant) throw new AppError('MODEL_INVALID', `the graph has no weight ${name}`);
  const { dtype, shape, bytes } = constant;
  const tensorShape = { dim: shape.map((size) => ({ size })) };
  const value = { tensor: { dtype, tensorShape, tensorContent: bytes } };
  return { name, op: 'Const', input: [], attr: { dtype: { type: dtype }, value } };
}

/** The node as TensorFlow knows it: a fused one becomes operation, bias and activation, the last with its name. */
function plainNodes({ name, op, input = [], attr = {} }: JsonNode): GraphNode[] {
  const plainOp = FUSED_OPERATIONS[op];
  if (plainOp === undefined) return [{ name, op, input, attr: attributesOf(op, attr) }];
  const [source, kernel, bias] = input;
  if (source === undefined || kernel === undefined || bias === undefined)
    throw new AppError('MODEL_INVALID', `node ${name}: a fused operation needs a bias`);
  const { list } = attr.fused_ops as { readonly list: { readonly s: readonly string[] } };
  const activation = list.s.map((text) => Buffer.from(text, 'base64').toString('utf8'))[1];
  const own = Object.entries(attr).filter(
    ([key]) => !FUSION_ATTRIBUTES.has(key) && !(key === 'explicit_paddings' && isEmptyList(attr[key])),
  );
  const product = `${name}_product`;
  const biased = activation === undefined ? name : `${name}_biased`;
  return [
    { name: product, op: plainOp, input: [source, kernel], attr: Object.fromEntries(own) },
    { name: biased, op: 'BiasAdd', input: [product, bias], attr: FLOAT },
    ...(activation === undefined ? [] : [{ name, op: activation, input: [biased], attr: FLOAT }]),
  ];
}

function isEmptyList(attribute: unknown): boolean {
  return ((attribute as { list?: { i?: readonly string[] } }).list?.i ?? []).length === 0;
}

/** Attributes that TensorFlow declares for the operation; TensorFlow.js's graph gives `T` to all of them. */
function attributesOf(op: string, attr: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const attributes = { ...attr };
  if (op === 'Cast') delete attributes.T;
  if (op === 'Slice') attributes.Index ??= { type: 'DT_INT32' };
  if (op === 'Mean' || op === 'ConcatV2') attributes.Tidx ??= { type: 'DT_INT32' };
  if (op === 'Reshape') attributes.Tshape ??= { type: 'DT_INT32' };
  return attributes;
}
