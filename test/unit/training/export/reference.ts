import {
  type ConvNode,
  type DenseNode,
  inputsOf,
  type Network,
  type NetworkNode,
} from '../../../../src/training/export/network.js';

/** A value with its batch; vectors have height and width 1. */
export interface Value {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float64Array;
}

/**
 * The network computed with plain loops in double precision, straight from the definitions, as the yardstick for
 * the engines. Padding is worked out here on its own, not by the code under test.
 */
export function runReference(
  network: Network,
  pixels: Uint8Array,
  shape: readonly number[],
): Map<string, Value> {
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  const values = new Map<string, Value>();
  for (const node of network.nodes) {
    const inputs = inputsOf(node).map((name) => values.get(name) as Value);
    const value =
      node.op === 'input'
        ? { batch, height, width, channels, data: Float64Array.from(pixels) }
        : compute(node, inputs);
    values.set(node.name, value);
  }
  return new Map(network.outputs.map(({ name, node }) => [name, values.get(node) as Value]));
}

function compute(node: Exclude<NetworkNode, { op: 'input' }>, inputs: readonly Value[]): Value {
  const x = inputs[0] as Value;
  switch (node.op) {
    case 'normalise':
      return { ...x, data: x.data.map((v) => v * node.scale + node.offset) };
    case 'conv':
    case 'depthwise-conv':
      return convolve(node, x);
    case 'max-pool':
      return fill(x.batch, Math.floor(x.height / 2), Math.floor(x.width / 2), x.channels, (n, y, xx, c) =>
        Math.max(...[0, 1].flatMap((dy) => [0, 1].map((dx) => at(x, n, 2 * y + dy, 2 * xx + dx, c)))),
      );
    case 'upsample':
      return fill(x.batch, x.height * 2, x.width * 2, x.channels, (n, y, xx, c) =>
        at(x, n, Math.floor(y / 2), Math.floor(xx / 2), c),
      );
    case 'mean':
      return fill(x.batch, 1, 1, x.channels, (n, _y, _x, c) => {
        let sum = 0;
        for (let y = 0; y < x.height; y++) for (let xx = 0; xx < x.width; xx++) sum += at(x, n, y, xx, c);
        return sum / (x.height * x.width);
      });
    case 'flatten':
      return { ...x, height: 1, width: 1, channels: x.height * x.width * x.channels };
    case 'sigmoid':
      return { ...x, data: x.data.map((v) => 1 / (1 + Math.exp(-v))) };
    case 'softmax':
      return fill(x.batch, 1, 1, x.channels, (n, _y, _x, c) => {
        let sum = 0;
        for (let k = 0; k < x.channels; k++) sum += Math.exp(at(x, n, 0, 0, k) - at(x, n, 0, 0, c));
        return 1 / sum;
      });
    case 'add':
      return { ...x, data: x.data.map((v, i) => v + ((inputs[1] as Value).data[i] as number)) };
    case 'concat': {
      const channels = inputs.reduce((sum, input) => sum + input.channels, 0);
      return fill(x.batch, x.height, x.width, channels, (n, y, xx, c) => {
        let channel = c;
        for (const input of inputs) {
          if (channel < input.channels) return at(input, n, y, xx, channel);
          channel -= input.channels;
        }
        return Number.NaN;
      });
    }
    case 'slice-channels':
      return fill(x.batch, x.height, x.width, node.count, (n, y, xx, c) => at(x, n, y, xx, c + node.from));
    case 'dense':
      return dense(node, x);
  }
}

function convolve(node: ConvNode, x: Value): Value {
  const [kernelHeight = 0, kernelWidth = 0, , last = 0] = node.kernel.shape;
  const isDepthwise = node.op === 'depthwise-conv';
  const outChannels = isDepthwise ? x.channels : last;
  const [outHeight, top] = along(x.height, kernelHeight, node, 'top', 'bottom');
  const [outWidth, left] = along(x.width, kernelWidth, node, 'left', 'right');
  return fill(x.batch, outHeight, outWidth, outChannels, (n, y, xx, o) => {
    let sum = node.bias.data[o] as number;
    for (let ky = 0; ky < kernelHeight; ky++)
      for (let kx = 0; kx < kernelWidth; kx++) {
        const iy = y * node.stride + ky - top;
        const ix = xx * node.stride + kx - left;
        if (iy < 0 || ix < 0 || iy >= x.height || ix >= x.width) continue;
        const tap = ky * kernelWidth + kx;
        if (isDepthwise) sum += at(x, n, iy, ix, o) * (node.kernel.data[tap * x.channels + o] as number);
        else
          for (let c = 0; c < x.channels; c++)
            sum += at(x, n, iy, ix, c) * (node.kernel.data[(tap * x.channels + c) * last + o] as number);
      }
    return activate(sum, node.activation);
  });
}

/** Output size and padding before the first pixel. */
function along(
  size: number,
  kernel: number,
  { padding, stride }: ConvNode,
  before: 'top' | 'left',
  after: 'bottom' | 'right',
): [number, number] {
  if (padding === 'valid') return [Math.ceil((size - kernel + 1) / stride), 0];
  if (padding !== 'same')
    return [Math.floor((size + padding[before] + padding[after] - kernel) / stride) + 1, padding[before]];
  // tensorflow.org, "Notes on padding": pad by k − s where s divides n, otherwise by k − n mod s.
  const rest = size % stride;
  const total = Math.max(kernel - (rest === 0 ? stride : rest), 0);
  return [Math.ceil(size / stride), Math.floor(total / 2)];
}

function dense(node: DenseNode, x: Value): Value {
  const [, out = 0] = node.kernel.shape;
  return fill(x.batch, 1, 1, out, (n, _y, _x, o) => {
    let sum = node.bias.data[o] as number;
    for (let c = 0; c < x.channels; c++) sum += at(x, n, 0, 0, c) * (node.kernel.data[c * out + o] as number);
    return activate(sum, node.activation);
  });
}

function activate(value: number, activation: ConvNode['activation']): number {
  if (activation === 'none') return value;
  return Math.min(Math.max(value, 0), activation === 'relu6' ? 6 : Number.POSITIVE_INFINITY);
}

function at(x: Value, n: number, y: number, xx: number, c: number): number {
  return x.data[((n * x.height + y) * x.width + xx) * x.channels + c] as number;
}

function fill(
  batch: number,
  height: number,
  width: number,
  channels: number,
  value: (n: number, y: number, x: number, c: number) => number,
): Value {
  const data = new Float64Array(batch * height * width * channels);
  let i = 0;
  for (let n = 0; n < batch; n++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) data[i++] = value(n, y, x, c);
  return { batch, height, width, channels, data };
}
