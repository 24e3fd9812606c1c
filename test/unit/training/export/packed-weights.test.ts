import { describe, expect, it } from 'vitest';
import { packTensor, unpackTensor } from '../../../../src/training/export/packed-weights.js';
import { largestDifference, randomTensor, seededRandom } from './engines.js';

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
