import type { ConvNode, DenseNode, Network } from '../../src/training/export/network.js';

/** One value of a network for one picture: height × width × channels, or 1 × 1 × channels for a vector. */
interface Value {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float64Array;
}

/**
 * Runs a network on one rgb24 picture with loops and 64-bit numbers: slow, and without anything of an inference
 * engine in it. Knows the operations that the tests' own models use. Outputs by their public names.
 */
export function runPlainly(
  network: Network,
  pixels: Uint8Array,
  height: number,
  width: number,
): Record<string, Float64Array> {
  const values = new Map<string, Value>();
  for (const node of network.nodes) {
    const input = () => values.get('input' in node ? node.input : '')!;
    switch (node.op) {
      case 'input':
        values.set(node.name, { height, width, channels: 3, data: Float64Array.from(pixels) });
        break;
      case 'normalise':
        values.set(
          node.name,
          map(input(), (value) => value * node.scale + node.offset),
        );
        break;
      case 'sigmoid':
        values.set(
          node.name,
          map(input(), (value) => 1 / (1 + Math.exp(-value))),
        );
        break;
      case 'conv':
        values.set(node.name, convolve(node, input()));
        break;
      case 'mean':
        values.set(node.name, mean(input()));
        break;
      case 'dense':
        values.set(node.name, dense(node, input()));
        break;
      case 'softmax':
        values.set(node.name, softmax(input()));
        break;
      default:
        throw new Error(`the tests’ models do not use ${node.op}`);
    }
  }
  return Object.fromEntries(network.outputs.map(({ name, node }) => [name, values.get(node)!.data]));
}

function map(value: Value, change: (number: number) => number): Value {
  return { ...value, data: value.data.map(change) };
}

function convolve(node: ConvNode, { height, width, channels, data }: Value): Value {
  const { padding, stride, kernel, bias, activation } = node;
  if (typeof padding !== 'object') throw new Error('the tests’ models name their padding');
  const [kernelHeight = 0, kernelWidth = 0, , outputs = 0] = kernel.shape;
  const outHeight = Math.floor((height + padding.top + padding.bottom - kernelHeight) / stride) + 1;
  const outWidth = Math.floor((width + padding.left + padding.right - kernelWidth) / stride) + 1;
  const result = new Float64Array(outHeight * outWidth * outputs);
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      for (let out = 0; out < outputs; out++) {
        let sum = bias.data[out]!;
        for (let ky = 0; ky < kernelHeight; ky++) {
          const row = y * stride + ky - padding.top;
          if (row < 0 || row >= height) continue;
          for (let kx = 0; kx < kernelWidth; kx++) {
            const column = x * stride + kx - padding.left;
            if (column < 0 || column >= width) continue;
            for (let c = 0; c < channels; c++) {
              const weight = kernel.data[((ky * kernelWidth + kx) * channels + c) * outputs + out]!;
              sum += data[(row * width + column) * channels + c]! * weight;
            }
          }
        }
        result[(y * outWidth + x) * outputs + out] = activation === 'relu' ? Math.max(0, sum) : sum;
      }
    }
  }
  return { height: outHeight, width: outWidth, channels: outputs, data: result };
}

function mean({ height, width, channels, data }: Value): Value {
  const result = new Float64Array(channels);
  for (const [index, value] of data.entries()) result[index % channels]! += value / (height * width);
  return { height: 1, width: 1, channels, data: result };
}

function dense({ kernel, bias }: DenseNode, { data }: Value): Value {
  const outputs = kernel.shape[1]!;
  const result = Float64Array.from(bias.data);
  for (const [row, value] of data.entries()) {
    for (let out = 0; out < outputs; out++) result[out]! += value * kernel.data[row * outputs + out]!;
  }
  return { height: 1, width: 1, channels: outputs, data: result };
}

function softmax(value: Value): Value {
  const exponents = value.data.map(Math.exp);
  const sum = exponents.reduce((a, b) => a + b, 0);
  return { ...value, data: exponents.map((exponent) => exponent / sum) };
}
