import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  encodeOnnxModel,
  ONNX_ATTRIBUTE,
  ONNX_TYPE,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from '../../../../src/training/export/onnx-protobuf.js';
import { readOnnx } from '../../../../src/training/export/onnx-reader.js';
import { writeOnnx } from '../../../../src/training/export/onnx-writer.js';
import {
  largestDifference,
  randomPixels,
  randomTensor,
  runOnnx,
  runOnnxOnPixels,
  seededRandom,
} from './engines.js';

const random = seededRandom(9);
const HEIGHT = 12;
const WIDTH = 20;

const ints = (name: string, values: number[]): OnnxAttribute => ({
  name,
  type: ONNX_ATTRIBUTE.ints,
  ints: values,
});
const int = (name: string, i: number): OnnxAttribute => ({ name, type: ONNX_ATTRIBUTE.int, i });
const text = (name: string, value: string): OnnxAttribute => ({
  name,
  type: ONNX_ATTRIBUTE.string,
  s: new TextEncoder().encode(value),
});

function node(opType: string, input: string[], output: string, attribute: OnnxAttribute[] = []): OnnxNode {
  return { opType, name: output, input, output: [output], attribute };
}
function floats(name: string, dims: number[], range = 1): OnnxTensor {
  const { data } = randomTensor(random, dims, range);
  return { name, dims, dataType: ONNX_TYPE.float, rawData: new Uint8Array(data.buffer) };
}
function conv(input: string, output: string, kernel: number[], group: number, stride: number, pad: number) {
  return node('Conv', [input, `${output}_w`, `${output}_b`], output, [
    ints('kernel_shape', kernel),
    ints('strides', [stride, stride]),
    ints('pads', [pad, pad, pad, pad]),
    int('group', group),
  ]);
}

/** A little network as PyTorch exports them: float BGR channels-first in, transposed and reshaped out. */
function pytorchLike(extra: OnnxNode[] = []): Uint8Array {
  const dim = (shape: (number | string)[]) => ({
    dim: shape.map((side) => (typeof side === 'string' ? { dimParam: side } : { dimValue: side })),
  });
  const info = (name: string, shape: (number | string)[]) => ({
    name,
    type: { tensorType: { elemType: ONNX_TYPE.float, shape: dim(shape) } },
  });
  const int64s = (name: string, values: number[]): OnnxTensor => ({
    name,
    dims: [values.length],
    dataType: ONNX_TYPE.int64,
    int64Data: values,
  });
  return encodeOnnxModel({
    irVersion: 8,
    producerName: 'test',
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'little',
      input: [info('input', ['batch', 3, 'h', 'w'])],
      output: [info('scores', ['batch', 'cells', 1]), info('boxes', ['batch', 'cells', 4])],
      initializer: [
        floats('a_w', [8, 3, 3, 3], 0.02),
        floats('a_b', [8]),
        floats('b_w', [8, 1, 3, 3]),
        floats('b_b', [8]),
        floats('c_w', [4, 8, 1, 1]),
        floats('c_b', [4]),
        floats('d_w', [1, 8, 1, 1]),
        floats('d_b', [1]),
        floats('e_w', [1, 1, 3, 3]),
        floats('e_b', [1]),
        { name: 'scales', dims: [4], dataType: ONNX_TYPE.float, floatData: [1, 1, 2, 2] },
        int64s('one', [0, -1, 1]),
        int64s('four', [0, -1, 4]),
      ],
      node: [
        conv('input', 'a', [3, 3], 1, 2, 1),
        node('Relu', ['a'], 'a_relu'),
        conv('a_relu', 'b', [3, 3], 8, 1, 1),
        node('MaxPool', ['b'], 'pool', [ints('kernel_shape', [2, 2]), ints('strides', [2, 2])]),
        node('Resize', ['pool', '', 'scales'], 'up', [
          text('coordinate_transformation_mode', 'asymmetric'),
          text('mode', 'nearest'),
          text('nearest_mode', 'floor'),
        ]),
        node('Add', ['b', 'up'], 'sum'),
        conv('sum', 'c', [1, 1], 1, 1, 0),
        node('Transpose', ['c'], 'c_last', [ints('perm', [0, 2, 3, 1])]),
        node('Reshape', ['c_last', 'four'], 'boxes'),
        conv('sum', 'd', [1, 1], 1, 1, 0),
        conv('d', 'e', [3, 3], 1, 1, 1),
        node('Transpose', ['e'], 'e_last', [ints('perm', [0, 2, 3, 1])]),
        node('Reshape', ['e_last', 'one'], 'e_cells'),
        node('Sigmoid', ['e_cells'], 'scores'),
        ...extra,
      ],
    },
  });
}

describe('reading an ONNX network', () => {
  it('gives the numbers of the original, from RGB bytes instead of BGR floats', async () => {
    const original = pytorchLike();
    const network = readOnnx(original, { name: 'little', colour: 'bgr', outputs: ['scores', 'boxes'] });
    const pixels = randomPixels(random, [1, HEIGHT, WIDTH, 3]);
    const planes = new Float32Array(pixels.length);
    for (let i = 0; i < HEIGHT * WIDTH; i++)
      for (let c = 0; c < 3; c++) planes[(2 - c) * HEIGHT * WIDTH + i] = pixels[i * 3 + c] as number;
    const expected = await runOnnx(original, { input: new Tensor('float32', planes, [1, 3, HEIGHT, WIDTH]) });
    const found = await runOnnxOnPixels(writeOnnx(network), pixels, [1, HEIGHT, WIDTH, 3]);
    expect(found.get('scores')?.shape).toEqual([1, HEIGHT / 2, WIDTH / 2, 1]);
    expect(found.get('boxes')?.shape).toEqual([1, HEIGHT / 2, WIDTH / 2, 4]);
    for (const [name, { data }] of expected)
      expect(largestDifference(found.get(name)?.data ?? [], data), name).toBeLessThan(1e-4);
  });

  it('refuses what it does not know, by name', () => {
    const bytes = pytorchLike([node('Tanh', ['c'], 'odd')]);
    const read = () => readOnnx(bytes, { name: 'little', colour: 'rgb', outputs: ['odd'] });
    expect(read).toThrow(expect.objectContaining({ code: 'EXPORT_ONNX_UNSUPPORTED' }));
    expect(read).toThrow(/Tanh/);
  });

  it('refuses bytes that are no ONNX file', () => {
    const read = () => readOnnx(Uint8Array.of(1, 2, 3), { name: 'x', colour: 'rgb', outputs: ['y'] });
    expect(read).toThrow(expect.objectContaining({ code: 'EXPORT_ONNX_UNSUPPORTED' }));
  });
});
