import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { MASK_LABELS } from '../../domain/label.js';
import { seededRandom } from '../../lib/random.js';
import type { Network } from '../export/network.js';
import { writeOnnx } from '../export/onnx-writer.js';
import type { FineTuneRecipe } from '../recipes/fine-tune-recipe.js';
import type { CropReader } from './crop-bank.js';
import { labelIndexOf } from './crop-sources.js';
import { augmentLive } from './live-augment.js';
import type { Draw } from './sampler.js';

/**
 * One thread, and few crops at once, take the least time of a CPU: on a machine that others use as well, twice as many
 * crops a second as two threads that wait for each other.
 */
export const ONE_THREAD = { intraOpNumThreads: 1 } as const;
const CROPS_AT_ONCE = 16;

export interface Batch {
  /** Value of the frozen part. */
  readonly features: tf.Tensor;
  /** Target shares of the labels, batch × 3; all 0 where there is no label. */
  readonly labels: tf.Tensor2D;
  /** 1 for a face, 0 for none; batch × 1. */
  readonly faces: tf.Tensor2D;
  readonly labelIndices: readonly number[];
  readonly labelledCount: number;
  dispose(): void;
}

/** Puts batches together: crops from the bank, changed a little, through the frozen part in ONNX Runtime. */
export class BatchMaker {
  readonly #session: InferenceSession;
  readonly #bank: CropReader;
  readonly #recipe: FineTuneRecipe;
  readonly #pixels: Uint8Array;

  private constructor(session: InferenceSession, bank: CropReader, recipe: FineTuneRecipe) {
    this.#session = session;
    this.#bank = bank;
    this.#recipe = recipe;
    this.#pixels = new Uint8Array(recipe.optimisation.batchSize * bank.cropBytes);
  }

  static async open(frozen: Network, bank: CropReader, recipe: FineTuneRecipe): Promise<BatchMaker> {
    return new BatchMaker(await InferenceSession.create(writeOnnx(frozen), ONE_THREAD), bank, recipe);
  }

  async make(draws: readonly Draw[], step: number): Promise<Batch> {
    const { inputPx, live, optimisation } = this.#recipe;
    const { cropBytes, sources } = this.#bank;
    const random = seededRandom(`${optimisation.seed}:${step}:live`);
    draws.forEach(({ sourceIndex, variant }, i) => {
      const crop = this.#pixels.subarray(i * cropBytes, (i + 1) * cropBytes);
      this.#bank.read(sourceIndex, variant, crop);
      augmentLive(crop, inputPx, sources[sourceIndex]!.target !== 'not_a_face', live, random);
    });
    const features = await this.#runFrozen(draws.length);
    const labelIndices = draws.map(({ sourceIndex }) => labelIndexOf(sources[sourceIndex]!.target));
    const labels = smoothed(labelIndices, optimisation.labelSmoothing);
    const faces = draws.map(({ sourceIndex }) => (sources[sourceIndex]!.target === 'not_a_face' ? 0 : 1));
    const tensors = [
      tf.tensor(features.data, features.shape),
      tf.tensor2d(labels, [draws.length, MASK_LABELS.length]),
      tf.tensor2d(faces, [draws.length, 1]),
    ] as const;
    return {
      features: tensors[0],
      labels: tensors[1],
      faces: tensors[2],
      labelIndices,
      labelledCount: labelIndices.filter((label) => label >= 0).length,
      dispose: () => tf.dispose([...tensors]),
    };
  }

  /** Value of the frozen part for the first `count` crops. */
  async #runFrozen(count: number): Promise<{ data: Float32Array; shape: number[] }> {
    const { inputPx } = this.#recipe;
    const { cropBytes } = this.#bank;
    const parts: Float32Array[] = [];
    let cell: readonly number[] = [];
    for (let from = 0; from < count; from += CROPS_AT_ONCE) {
      const to = Math.min(count, from + CROPS_AT_ONCE);
      const pixels = this.#pixels.subarray(from * cropBytes, to * cropBytes);
      const input = new Tensor('uint8', pixels, [to - from, inputPx, inputPx, 3]);
      const { features } = await this.#session.run({ pixels: input });
      parts.push(features!.data as Float32Array);
      cell = features!.dims.slice(1);
    }
    const length = cell.reduce((product, side) => product * side, 1);
    const data = new Float32Array(count * length);
    let at = 0;
    for (const part of parts) {
      data.set(part, at);
      at += part.length;
    }
    return { data, shape: [count, ...cell] };
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}

function smoothed(labelIndices: readonly number[], smoothing: number): Float32Array {
  const count = MASK_LABELS.length;
  const targets = new Float32Array(labelIndices.length * count);
  labelIndices.forEach((label, row) => {
    if (label < 0) return;
    for (let i = 0; i < count; i++)
      targets[row * count + i] = smoothing / count + (i === label ? 1 - smoothing : 0);
  });
  return targets;
}
