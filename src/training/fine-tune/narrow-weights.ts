import type { NamedWeights } from '../export/mobilenet-v2.js';
import type { WeightTensor } from '../export/network.js';

/** Channels stay multiples of it, as in MobileNetV2's own width multipliers (Sandler et al., 2018). */
const MULTIPLE = 8;
const RESIDUAL_STAGES = [[0], [1, 2], [3, 4, 5], [6, 7, 8, 9], [10, 11, 12], [13, 14, 15], [16]] as const;

/** Channels of one value of the network that are kept, in rising order. */
type Kept = readonly number[];

/**
 * MobileNetV2's weights with `width` times the channels: those with the largest weights stay (the sum of squares of
 * the kernels that make and read them), blocks that add onto each other keep the same ones, the 1280 of `head` all
 * stay. A beginning for training, not a working network. `width` 1 gives the weights themselves.
 */
export function narrowWeights(weights: NamedWeights, width: number): NamedWeights {
  if (width === 1) return weights;
  const kernel = (layer: string) => weights.get(`${layer}/kernel`)!;
  const narrowed = new Map<string, WeightTensor>();
  const put = (layer: string, inputs: Kept, outputs: Kept) => {
    narrowed.set(`${layer}/kernel`, pick(kernel(layer), inputs, outputs));
    narrowed.set(`${layer}/bias`, pickOf(weights.get(`${layer}/bias`)!, outputs));
  };
  const all = (count: number): Kept => Array.from({ length: count }, (_, i) => i);

  const stem = strongest([outputStrength(kernel('stem'))], width);
  put('stem', all(3), stem);
  let inputs = stem;
  for (const blocks of RESIDUAL_STAGES) {
    const outputs = strongest(
      blocks.map((block) => outputStrength(kernel(`block_${block}_project`))),
      width,
    );
    for (const block of blocks) {
      const id = `block_${block}`;
      const project = inputStrength(kernel(`${id}_project`));
      const isExpanding = block > 0;
      const wide = isExpanding
        ? strongest([product(outputStrength(kernel(`${id}_expand`)), project)], width)
        : inputs;
      if (isExpanding) put(`${id}_expand`, inputs, wide);
      // Depthwise kernels: height × width × channels × 1.
      narrowed.set(`${id}_depthwise/kernel`, pick(kernel(`${id}_depthwise`), wide, [0]));
      narrowed.set(`${id}_depthwise/bias`, pickOf(weights.get(`${id}_depthwise/bias`)!, wide));
      put(`${id}_project`, wide, outputs);
      inputs = outputs;
    }
  }
  put('head', inputs, all(kernel('head').shape[3]!));
  return narrowed;
}

/** Indices of the strongest channels by the sum of several measures, each brought to mean 1. */
function strongest(measures: readonly Float64Array[], width: number): Kept {
  const count = measures[0]!.length;
  const total = new Float64Array(count);
  for (const measure of measures) {
    const mean = measure.reduce((a, b) => a + b, 0) / count;
    for (let i = 0; i < count; i++) total[i]! += measure[i]! / mean;
  }
  const kept = Math.min(count, Math.max(MULTIPLE, Math.round((count * width) / MULTIPLE) * MULTIPLE));
  return [...total.keys()]
    .sort((a, b) => total[b]! - total[a]!)
    .slice(0, kept)
    .sort((a, b) => a - b);
}

function outputStrength(tensor: WeightTensor): Float64Array {
  const outputs = tensor.shape[3]!;
  const sums = new Float64Array(outputs);
  tensor.data.forEach((value, i) => {
    sums[i % outputs]! += value * value;
  });
  return sums;
}

function inputStrength(tensor: WeightTensor): Float64Array {
  const [, , inputs = 0, outputs = 0] = tensor.shape;
  const sums = new Float64Array(inputs);
  tensor.data.forEach((value, i) => {
    sums[Math.floor(i / outputs) % inputs]! += value * value;
  });
  return sums;
}

function product(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value * b[i]!);
}

function pick({ shape, data }: WeightTensor, inputs: Kept, outputs: Kept): WeightTensor {
  const [height = 0, width = 0, inChannels = 0, outChannels = 0] = shape;
  const picked = new Float32Array(height * width * inputs.length * outputs.length);
  let at = 0;
  for (let cell = 0; cell < height * width; cell++)
    for (const input of inputs)
      for (const output of outputs) picked[at++] = data[(cell * inChannels + input) * outChannels + output]!;
  return { shape: [height, width, inputs.length, outputs.length], data: picked };
}

function pickOf({ data }: WeightTensor, kept: Kept): WeightTensor {
  return { shape: [kept.length], data: Float32Array.from(kept, (index) => data[index]!) };
}
