import type { WeightTensor } from './network.js';

/** Rank-4 tensor with its axes in the order of `axes`; a fresh array. */
export function transposed(
  tensor: WeightTensor,
  axes: readonly [number, number, number, number],
): WeightTensor {
  const { shape, data } = tensor;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1));
  const [a, b, c, d] = axes.map((axis) => shape[axis] as number) as [number, number, number, number];
  const [sa, sb, sc, sd] = axes.map((axis) => strides[axis] as number) as [number, number, number, number];
  const result = new Float32Array(data.length);
  let at = 0;
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++)
      for (let k = 0; k < c; k++)
        for (let l = 0; l < d; l++) result[at++] = data[i * sa + j * sb + k * sc + l * sd] as number;
  return { shape: [a, b, c, d], data: result };
}
