import type { WeightTensor } from './network.js';
import { packedBytes, packTensor } from './packed-weights.js';

/** TensorFlow's GraphDef in protobuf's JSON mapping, as far as TensorFlow.js reads it. */
export interface GraphDef {
  readonly node: readonly GraphDefNode[];
  readonly library: object;
  readonly versions: { readonly producer: number };
}
export interface GraphDefNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, AttrValue>>;
}
/** Numbers of 64 bits are strings and byte strings are base64, as protobuf's JSON mapping wants them. */
export type AttrValue =
  | { readonly type: string }
  | { readonly i: string }
  | { readonly f: number }
  | { readonly b: boolean }
  | { readonly s: string }
  | { readonly shape: { readonly dim: readonly { readonly size: string }[] } }
  | { readonly list: { readonly i?: readonly string[]; readonly s?: readonly string[] } }
  | { readonly tensor: object };

/** An entry of TensorFlow.js's weights manifest. */
export interface WeightsEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  readonly quantization?: {
    readonly dtype: 'uint8' | 'float16';
    readonly original_dtype?: 'float32';
    readonly scale?: number;
    readonly min?: number;
  };
}

/** Collects nodes and weights in the order in which they are added. */
export class GraphDefBuilder {
  readonly weightEntries: WeightsEntry[] = [];
  readonly #isCompact: boolean;
  readonly #nodes: GraphDefNode[] = [];
  readonly #weightParts: Uint8Array[] = [];

  constructor(isCompact: boolean) {
    this.#isCompact = isCompact;
  }

  /** Adds an operation and returns its name. */
  add(
    op: string,
    name: string,
    input: readonly string[],
    attr: Readonly<Record<string, AttrValue>> = {},
  ): string {
    this.#nodes.push({ name, op, input, attr: { T: { type: 'DT_FLOAT' }, ...attr } });
    return name;
  }

  addInput(name: string, dimensions: readonly number[]): void {
    const shape = { dim: dimensions.map((size) => ({ size: String(size) })) };
    this.#nodes.push({ name, op: 'Placeholder', attr: { dtype: { type: 'DT_UINT8' }, shape: { shape } } });
  }

  /** Adds a weight tensor, packed; returns its name. */
  weights(name: string, tensor: WeightTensor): string {
    const packed = packTensor(tensor, this.#isCompact);
    const entry = { name, shape: packed.shape, dtype: 'float32' } as const;
    if (packed.storage === 'float32') this.weightEntries.push(entry);
    else if (packed.storage === 'float16')
      this.weightEntries.push({ ...entry, quantization: { dtype: 'float16', original_dtype: 'float32' } });
    else {
      const { scale, min } = packed;
      const quantization = { dtype: 'uint8', original_dtype: 'float32', scale, min } as const;
      this.weightEntries.push({ ...entry, quantization });
    }
    return this.#constant(name, 'DT_FLOAT', packed.shape, packedBytes(packed));
  }

  floatConstant(name: string, value: number): string {
    this.weightEntries.push({ name, shape: [], dtype: 'float32' });
    return this.#constant(name, 'DT_FLOAT', [], new Uint8Array(Float32Array.of(value).buffer));
  }

  intConstant(name: string, shape: readonly number[], values: readonly number[]): string {
    this.weightEntries.push({ name, shape, dtype: 'int32' });
    return this.#constant(name, 'DT_INT32', shape, new Uint8Array(Int32Array.from(values).buffer));
  }

  string(value: string): AttrValue {
    return { s: base64(value) };
  }

  strings(values: readonly string[]): AttrValue {
    return { list: { s: values.map(base64) } };
  }

  ints(values: readonly number[]): AttrValue {
    return { list: { i: values.map(String) } };
  }

  graphDef(): GraphDef {
    return { node: this.#nodes, library: {}, versions: { producer: 987 } };
  }

  /** All weights, one after another, in the order of `weightEntries`; a fresh array. */
  weightBytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#weightParts));
  }

  #constant(name: string, dtype: string, shape: readonly number[], bytes: Uint8Array): string {
    this.#weightParts.push(bytes);
    const tensorShape = { dim: shape.map((size) => ({ size: String(size) })) };
    const attr = { dtype: { type: dtype }, value: { tensor: { dtype, tensorShape } } };
    this.#nodes.push({ name, op: 'Const', attr });
    return name;
  }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
