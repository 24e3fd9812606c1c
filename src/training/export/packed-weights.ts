import { fromFloat16, toFloat16 } from '../../lib/float16.js';
import type { WeightTensor } from './network.js';

/**
 * How one weight tensor is stored in a model file. Both writers store the same numbers, so that both engines
 * start from the same weights. `uint8` means value = stored × scale + min.
 */
export type PackedTensor =
  | { readonly storage: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly storage: 'float16'; readonly shape: readonly number[]; readonly data: Uint16Array }
  | {
      readonly storage: 'uint8';
      readonly shape: readonly number[];
      readonly data: Uint8Array;
      readonly scale: number;
      readonly min: number;
    };

/** Below this many elements a tensor stays float32: biases and depthwise kernels weigh little and matter much. */
const SMALL_ELEMENTS = 2048;
/** A tensor counts as quantised when each element lies this close to its grid, in steps. */
const GRID_TOLERANCE_STEPS = 1e-3;

/**
 * Packs a tensor. With `isCompact`, larger tensors are stored as uint8 where that loses nothing (the weights
 * came from a model quantised to at most 256 levels), otherwise as float16; without, as float32.
 */
export function packTensor(tensor: WeightTensor, isCompact: boolean): PackedTensor {
  const { shape, data } = tensor;
  if (!isCompact || data.length < SMALL_ELEMENTS) return { storage: 'float32', shape, data };
  return packOnGrid(tensor) ?? { storage: 'float16', shape, data: toFloat16(data) };
}

/** What an engine sees of a packed tensor after loading; a fresh array except for float32. */
export function unpackTensor(packed: PackedTensor): Float32Array {
  if (packed.storage === 'float32') return packed.data;
  if (packed.storage === 'float16') return fromFloat16(packed.data);
  return Float32Array.from(packed.data, (value) => value * packed.scale + packed.min);
}

/** Little-endian bytes of the stored elements; a view on them, not a copy. */
export function packedBytes(packed: PackedTensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = packed.data;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function packOnGrid({ shape, data }: WeightTensor): PackedTensor | undefined {
  const levels = new Set<number>();
  for (const value of data) {
    levels.add(value);
    if (levels.size > 256) return undefined;
  }
  const sorted = [...levels].sort((a, b) => a - b);
  const min = sorted[0] as number;
  const range = (sorted.at(-1) as number) - min;
  if (range === 0) return undefined;
  let step = range;
  for (let i = 1; i < sorted.length; i++)
    step = Math.min(step, (sorted[i] as number) - (sorted[i - 1] as number));
  const stepCount = Math.round(range / step);
  if (stepCount > 255) return undefined;
  // The smallest gap carries float32's rounding; the whole range gives the step far more exactly.
  step = range / stepCount;
  if (
    sorted.some(
      (level) => Math.abs((level - min) / step - Math.round((level - min) / step)) > GRID_TOLERANCE_STEPS,
    )
  )
    return undefined;
  const stored = Uint8Array.from(data, (value) => Math.round((value - min) / step));
  return { storage: 'uint8', shape, data: stored, scale: step, min };
}
