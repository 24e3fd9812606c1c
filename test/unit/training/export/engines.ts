import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadFrozen } from '../../../../src/inference/load-frozen.js';
import type { TfNative } from '../../../../src/inference/tfjs-native.js';
import type { WeightTensor } from '../../../../src/training/export/network.js';
import { type TfjsModelFiles, toModelArtifacts } from '../../../../src/training/export/tfjs-writer.js';

export type Outputs = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

export async function runOnnx(model: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Promise<Outputs> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  try {
    const results = await session.run(feeds);
    return new Map(
      Object.entries(results).map(([name, { dims, data }]) => [
        name,
        { shape: dims, data: data as Float32Array },
      ]),
    );
  } finally {
    await session.release();
  }
}

export function runOnnxOnPixels(
  model: Uint8Array,
  pixels: Uint8Array,
  shape: readonly number[],
): Promise<Outputs> {
  return runOnnx(model, { pixels: new Tensor('uint8', pixels, shape) });
}

export async function runTfjs(
  files: TfjsModelFiles,
  backend: 'cpu' | 'wasm',
  pixels: Uint8Array,
  shape: readonly number[],
): Promise<Outputs> {
  await tf.setBackend(backend);
  const model = await loadGraphModel(tf.io.fromMemory(toModelArtifacts(files)));
  const input = tf.tensor(Int32Array.from(pixels), [...shape], 'int32');
  const names = Object.keys((files.modelJson.signature as { outputs: object }).outputs);
  const results = model.execute({ pixels: input }, names) as tf.Tensor | tf.Tensor[];
  const outputs = new Map(
    [results]
      .flat()
      .map((tensor, i) => [names[i] as string, { shape: tensor.shape, data: tensor.dataSync<'float32'>() }]),
  );
  tf.dispose([input, results]);
  model.dispose();
  return outputs;
}

/** Through the frozen SavedModel that native TensorFlow runs. */
export async function runSavedModel(
  native: TfNative,
  files: TfjsModelFiles,
  pixels: Uint8Array,
  shape: readonly number[],
): Promise<Outputs> {
  await native.setBackend('tensorflow');
  const model = await loadFrozen(native, toModelArtifacts(files));
  const input = native.tensor(Int32Array.from(pixels), [...shape], 'int32');
  const results = model.predict({ pixels: input }) as Record<string, tf.Tensor>;
  const outputs = new Map(
    Object.entries(results).map(([name, tensor]) => [
      name,
      { shape: tensor.shape, data: tensor.dataSync<'float32'>() },
    ]),
  );
  input.dispose();
  for (const tensor of Object.values(results)) tensor.dispose();
  model.dispose();
  return outputs;
}

/** Largest difference between two lists of one length. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] as number) - (b[i] as number));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** Mulberry32: the same numbers in every run; uniform in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomTensor(random: () => number, shape: readonly number[], range = 1): WeightTensor {
  const length = shape.reduce((product, side) => product * side, 1);
  return { shape, data: Float32Array.from({ length }, () => (random() - 0.5) * range) };
}

export function randomPixels(random: () => number, shape: readonly number[]): Uint8Array {
  const length = shape.reduce((product, side) => product * side, 1);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}
