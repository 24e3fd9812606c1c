import { describe, expect, it } from 'vitest';
import {
  fromFloat16,
  packTensor,
  toFloat16,
  unpackTensor,
} from '../../../../src/training/export/packed-weights.js';
import { largestDifference, randomTensor, seededRandom } from './engines.js';

describe('half precision', () => {
  it('brings every finite half number back to its own bits', () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits).filter(
      (bits) => (bits & 0x7c00) !== 0x7c00,
    );
    expect(toFloat16(fromFloat16(all))).toEqual(all);
  });

  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [3 * 2 ** -25, 0x0002],
    [2 ** -14 - 2 ** -26, 0x0400],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -13, 0x4000],
    [Number.NEGATIVE_INFINITY, 0xfc00],
  ])('rounds %d to nearest, ties to even', (value, bits) => {
    expect(toFloat16(Float32Array.of(value))[0]).toBe(bits);
  });

  it('keeps not-a-number', () => {
    expect(fromFloat16(toFloat16(Float32Array.of(Number.NaN)))[0]).toBeNaN();
  });
});

describe('storing', () => {
  const random = seededRandom(2);
  const levels = (count: number) => ({
    shape: [64, 64],
    data: Float32Array.from({ length: 4096 }, (_, i) => (i % count) * 0.0173 - 1.1),
  });

  it('finds the grid of a quantised tensor and loses nothing', () => {
    const tensor = levels(256);
    const packed = packTensor(tensor, true);
    expect(packed.storage).toBe('uint8');
    expect(largestDifference(unpackTensor(packed), tensor.data)).toBeLessThan(1e-6);
  });

  it('takes half precision for what has no grid or too many levels', () => {
    expect(packTensor(levels(257), true).storage).toBe('float16');
    const uneven = levels(100);
    uneven.data[7] = 0.005;
    expect(packTensor(uneven, true).storage).toBe('float16');
    expect(packTensor(randomTensor(random, [64, 64]), true).storage).toBe('float16');
  });

  it('leaves small tensors, and everything on request, as it is', () => {
    const small = randomTensor(random, [3, 3, 64, 1]);
    expect(packTensor(small, true)).toEqual({ storage: 'float32', ...small });
    expect(packTensor(levels(256), false).storage).toBe('float32');
  });
});
