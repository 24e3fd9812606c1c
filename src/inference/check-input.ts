import { AppError } from '../lib/errors.js';
import type { Tensor } from './engine.js';
import type { ModelManifest } from './manifest.js';

/** The one picture tensor of a call, checked against the manifest. */
export interface PictureInput {
  readonly name: string;
  readonly data: Uint8Array;
  /** Batch, height, width, 3. */
  readonly shape: readonly [number, number, number, number];
}

/**
 * Checks a call's inputs against the model's manifest: exactly one, by its name, uint8, batch × height × width × 3
 * with the sides that the model takes and as many bytes as the shape asks for. Engines of their own would answer
 * some of these with a crash or with wrong numbers. Throws `AppError` INFERENCE_BAD_INPUT.
 */
export function checkPictureInput(
  manifest: ModelManifest,
  inputs: Readonly<Record<string, Tensor>>,
): PictureInput {
  const { name, heightPx, widthPx, multipleOf } = manifest.input;
  const fail = (why: string): never => {
    throw new AppError('INFERENCE_BAD_INPUT', `model ${manifest.name}: ${why}`);
  };
  const names = Object.keys(inputs);
  const tensor = inputs[name];
  if (!tensor || names.length !== 1)
    return fail(`takes one input, ${name}; got ${names.join(', ') || 'none'}`);
  const { data, shape } = tensor;
  if (!(data instanceof Uint8Array)) return fail(`input ${name} must be uint8`);
  if (shape.length !== 4 || shape.some((side) => !Number.isInteger(side) || side < 1))
    return fail(`input ${name} must be batch × height × width × 3, got ${shape.join('×') || 'nothing'}`);
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  if (channels !== 3) return fail(`input ${name} must have 3 channels, got ${channels}`);
  const fits = (side: number, fixed: number | null) =>
    fixed === null ? side % (multipleOf ?? 1) === 0 : side === fixed;
  if (!fits(height, heightPx) || !fits(width, widthPx)) {
    const wanted = [heightPx, widthPx].map((fixed) => fixed ?? `any multiple of ${multipleOf ?? 1}`);
    return fail(`input ${name} must be ${wanted.join(' × ')} pixels high and wide, got ${height} × ${width}`);
  }
  if (data.length !== batch * height * width * 3)
    return fail(
      `input ${name}: ${data.length} bytes given, ${batch * height * width * 3} expected for ${shape.join('×')}`,
    );
  return { name, data, shape: [batch, height, width, 3] };
}
