import { createHash } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { extractCrop } from '../../crops/extract.js';
import { toFloat16 } from '../../lib/float16.js';
import { seededRandom } from '../../lib/random.js';
import { CUT_VERSION } from '../augment/cut-version.js';
import { cutVariant } from '../augment/face-variant.js';
import { paintMask } from '../augment/paint-mask.js';
import type { PreparedPicture } from '../dataset/prepare.js';
import { type RgbPicture, readRgbPicture } from '../dataset/rgb-picture.js';
import { writeOnnx } from '../export/onnx-writer.js';
import type { Recipe } from '../recipes/recipe.js';
import type { FrozenPart } from './feature-network.js';
import type { PlannedSample } from './sample-plan.js';

/** Frozen features of planned samples: float16 bits, sample after sample, each row, column, channel. */
export interface FeatureSet {
  readonly samples: readonly PlannedSample[];
  readonly values: Uint16Array;
  /** Numbers per sample. */
  readonly length: number;
}

export interface ExtractOptions {
  readonly recipe: Recipe;
  readonly frozen: FrozenPart;
  readonly cacheDir: string;
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

const BATCH = 16;

/**
 * Cuts every planned sample and runs the frozen part on it once (ONNX Runtime, one thread per core). The result
 * is cached under everything that it depends on. Rejects with the signal's reason when aborted.
 */
export async function extractFeatures(
  pictures: readonly PreparedPicture[],
  samples: readonly PlannedSample[],
  options: ExtractOptions,
): Promise<FeatureSet> {
  const { recipe, frozen, cacheDir } = options;
  const length = frozen.heightCells * frozen.widthCells * frozen.channels;
  await mkdir(cacheDir, { recursive: true });
  const model = writeOnnx(frozen.network);
  const path = join(cacheDir, `features-${cacheKey(pictures, samples, recipe, model)}.f16`);
  const cached = await readCached(path, samples.length * length);
  if (cached) return { samples, values: cached, length };

  const session = await InferenceSession.create(model);
  const values = new Uint16Array(samples.length * length);
  const cropBytes = recipe.inputPx ** 2 * 3;
  const pixels = new Uint8Array(BATCH * cropBytes);
  let decoded: { index: number; rgb: RgbPicture } | undefined;
  for (let start = 0; start < samples.length; start += BATCH) {
    options.signal?.throwIfAborted();
    const count = Math.min(BATCH, samples.length - start);
    for (let i = 0; i < count; i++) {
      const sample = samples[start + i]!;
      const prepared = pictures[sample.pictureIndex]!;
      if (decoded?.index !== sample.pictureIndex)
        decoded = { index: sample.pictureIndex, rgb: await readRgbPicture(prepared.picture.path) };
      await cutSample(
        prepared,
        sample,
        decoded.rgb,
        recipe,
        pixels.subarray(i * cropBytes, (i + 1) * cropBytes),
      );
    }
    const input = new Tensor('uint8', pixels.subarray(0, count * cropBytes), [
      count,
      recipe.inputPx,
      recipe.inputPx,
      3,
    ]);
    const output = (await session.run({ pixels: input })).features!;
    values.set(toFloat16(output.data as Float32Array), start * length);
    options.onProgress?.(start + count);
  }
  await session.release();
  await writeCached(path, values);
  return { samples, values, length };
}

/** The crop of one sample, plain or changed; the same every time. */
export async function cutSample(
  { print, faces }: PreparedPicture,
  sample: PlannedSample,
  rgb: RgbPicture,
  recipe: Recipe,
  target: Uint8Array,
): Promise<void> {
  const { box, landmarks } = faces[sample.faceIndex]!;
  const geometry = { sizePx: recipe.inputPx, marginRatio: recipe.marginRatio };
  const { painted } = sample;
  if (painted && landmarks) {
    const random = seededRandom(`${print.contentHash}:${sample.faceIndex}:${sample.copy}:${painted}`);
    const masked = await paintMask(rgb, landmarks, painted, random);
    await cutVariant(masked, box, geometry, recipe.augmentation, random, target);
    return;
  }
  if (sample.copy === 0) {
    extractCrop(rgb, box, geometry, target);
    return;
  }
  const random = seededRandom(`${print.contentHash}:${sample.faceIndex}:${sample.copy}`);
  await cutVariant(rgb, box, geometry, recipe.augmentation, random, target);
}

function cacheKey(
  pictures: readonly PreparedPicture[],
  samples: readonly PlannedSample[],
  recipe: Recipe,
  model: Uint8Array,
): string {
  const hash = createHash('sha256').update(model);
  hash.update(JSON.stringify([CUT_VERSION, recipe.inputPx, recipe.marginRatio, recipe.augmentation]));
  for (const { pictureIndex, faceIndex, copy, painted = '' } of samples) {
    const { print, faces } = pictures[pictureIndex]!;
    hash.update(
      `${print.contentHash}:${faceIndex}:${copy}${painted}:${JSON.stringify(faces[faceIndex]!.box)}\n`,
    );
  }
  return hash.digest('hex').slice(0, 16);
}

async function readCached(path: string, expectedLength: number): Promise<Uint16Array | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const values = new Uint16Array(expectedLength);
      const bytes = new Uint8Array(values.buffer);
      if ((await file.stat()).size !== bytes.length) return undefined;
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, at, Math.min(2 ** 28, bytes.length - at), at);
        if (bytesRead === 0) return undefined;
        at += bytesRead;
      }
      return values;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

async function writeCached(path: string, values: Uint16Array): Promise<void> {
  const file = await open(`${path}.partial`, 'w');
  const bytes = new Uint8Array(values.buffer);
  for (let at = 0; at < bytes.length; at += 2 ** 28) await file.write(bytes.subarray(at, at + 2 ** 28));
  await file.close();
  await rename(`${path}.partial`, path);
}
