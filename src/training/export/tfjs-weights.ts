import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { readManifest } from '../../inference/manifest.js';
import { AppError } from '../../lib/errors.js';
import type { WeightTensor } from './network.js';
import { unpackTensor } from './packed-weights.js';

const specSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.string(),
  quantization: z
    .object({ dtype: z.enum(['uint8', 'float16']), scale: z.number().optional(), min: z.number().optional() })
    .optional(),
});
const modelJsonSchema = z.object({
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(specSchema) })),
});
export type WeightSpec = z.infer<typeof specSchema>;

/**
 * All float32 weights of a model folder's TensorFlow.js form by name, expanded; fresh arrays.
 * Throws `AppError` MODEL_NOT_FOUND or MODEL_INVALID.
 */
export async function readTfjsWeights(modelDir: string): Promise<Map<string, WeightTensor>> {
  const manifest = await readManifest(modelDir);
  const modelPath = join(modelDir, manifest.forms.tfjs.file);
  try {
    const { weightsManifest } = modelJsonSchema.parse(JSON.parse(await readFile(modelPath, 'utf8')));
    const weights = new Map<string, WeightTensor>();
    for (const group of weightsManifest) {
      const parts = group.paths.map((path) => readFile(join(dirname(modelPath), path)));
      for (const [name, tensor] of decodeWeights(group.weights, Buffer.concat(await Promise.all(parts))))
        weights.set(name, tensor);
    }
    return weights;
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('MODEL_INVALID', `${modelPath}: weights cannot be read`, { cause, path: modelPath });
  }
}

/**
 * Takes float32 weights (plain, float16 or uint8) out of one buffer in which they stand one after another;
 * integers are skipped. Throws `AppError` MODEL_INVALID when the buffer's size does not fit.
 */
export function decodeWeights(specs: readonly WeightSpec[], bytes: Uint8Array): Map<string, WeightTensor> {
  const weights = new Map<string, WeightTensor>();
  let offset = 0;
  for (const { name, shape, dtype, quantization } of specs) {
    const count = shape.reduce((product, side) => product * side, 1);
    const elementBytes = { uint8: 1, float16: 2, float32: 4 }[quantization?.dtype ?? 'float32'];
    // A copy, so that the elements are aligned.
    const { buffer } = new Uint8Array(bytes.subarray(offset, offset + count * elementBytes));
    if (buffer.byteLength !== count * elementBytes)
      throw new AppError('MODEL_INVALID', `weights end within ${name}`);
    offset += count * elementBytes;
    if (dtype !== 'float32') continue;
    const { scale = 1, min = 0 } = quantization ?? {};
    const data =
      quantization?.dtype === 'float16'
        ? unpackTensor({ storage: 'float16', shape, data: new Uint16Array(buffer) })
        : quantization?.dtype === 'uint8'
          ? unpackTensor({ storage: 'uint8', shape, data: new Uint8Array(buffer), scale, min })
          : new Float32Array(buffer);
    weights.set(name, { shape, data });
  }
  if (offset !== bytes.byteLength)
    throw new AppError('MODEL_INVALID', `weights have ${bytes.byteLength} bytes, ${offset} are described`);
  return weights;
}
