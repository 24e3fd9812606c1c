import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/schema.js';
import { extractCrop } from '../../src/crops/extract.js';
import { InferencePool } from '../../src/inference/inference-pool.js';
import { readInstalledEngines } from '../../src/inference/machine-facts.js';
import type { CropRequest, WorkerOptions } from '../../workers/protocol.js';
import { runPlainly } from '../support/plain-network.js';
import {
  makeTinyModels,
  noisePicture,
  randomNumbers,
  TINY_CROP_PX,
  TINY_MARGIN,
  type TinyModels,
  tinyClassifier,
} from '../support/tiny-models.js';

/*
 * What the service does with every adapter of the `InferenceEngine` port: in worker threads of its pool, batches of 1 to
 * 64 crops, and again in the thread that takes the place of one that died.
 */

/** Scores of the same crop differ by less, whichever adapter, batch and thread they come from. */
const TOLERANCE = 1e-3;
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64] as const;
const LABELS = ['without_mask', 'mask_worn_incorrectly', 'with_mask'] as const;
const { classification } = configSchema.parse({});

interface Adapter {
  readonly name: string;
  readonly engine: 'onnxruntime' | 'tfjs';
  readonly device: 'auto' | 'wasm';
  /** What it may say that it runs on: another one in its place would prove nothing. */
  readonly runsOn: RegExp;
  readonly isInstalled: boolean;
  readonly needs: string;
}

const installed = readInstalledEngines();
const ADAPTERS: readonly Adapter[] = [
  {
    name: 'ONNX Runtime',
    engine: 'onnxruntime',
    device: 'auto',
    runsOn: /^(cpu|cuda)$/,
    isInstalled: installed.onnxruntime !== null,
    needs: 'onnxruntime-node',
  },
  {
    name: 'TensorFlow.js, native',
    engine: 'tfjs',
    device: 'auto',
    runsOn: /^tensorflow(-gpu)?$/,
    isInstalled: installed.native !== null,
    needs: 'maskwatch setup tensorflow',
  },
  {
    name: 'TensorFlow.js, WebAssembly',
    engine: 'tfjs',
    device: 'wasm',
    runsOn: /^wasm$/,
    isInstalled: installed.tfjs !== null,
    needs: '@tensorflow/tfjs-core',
  },
];
const PRESENT = ADAPTERS.filter(({ isInstalled }) => isInstalled);

/** 64 crops of different pictures, places and sizes, some over the edge. */
const next = randomNumbers(22);
const pictures = [11, 12, 13].map((seed) => noisePicture(96, 64, seed));
const crops: readonly CropRequest[] = Array.from({ length: 64 }, (_, i) => ({
  pixels: pictures[i % pictures.length]!,
  box: { x: 80 * next() - 10, y: 50 * next() - 10, width: 12 + 30 * next(), height: 12 + 30 * next() },
}));

let tiny: TinyModels;
let plain: readonly number[];
beforeAll(async () => {
  tiny = await makeTinyModels();
  plain = plainScores();
});
afterAll(() => tiny?.remove());

async function openPool(
  { engine, device, runsOn }: Adapter,
  workers: number,
  classifierModelDir = tiny.classifierDir,
): Promise<InferencePool> {
  const workerOptions: WorkerOptions = {
    engine,
    device,
    detectorModelDir: tiny.detectorDir,
    classifierModelDir,
    detectorWidth: 96,
    detectorHeight: 64,
    threadsPerWorker: 1,
  };
  const pool = await InferencePool.open({
    workers,
    maxQueue: 32,
    measureBatchSizes: [1],
    faultInjection: true,
    workerOptions,
  });
  expect(pool.info).toMatchObject({ engine, device: expect.stringMatching(runsOn) });
  return pool;
}

/** Scores of the first `count` crops, three a crop in the order of {@link LABELS}. */
async function scoresOf(pool: InferencePool, count: number): Promise<number[]> {
  const result = await pool.classify(crops.slice(0, count));
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  expect(result.scores).toHaveLength(count);
  return result.scores.flatMap((scores) => LABELS.map((label) => scores[label]));
}

/** The largest difference between `actual` and as many of `expected`. */
function worst(actual: readonly number[], expected: ArrayLike<number>): number {
  return Math.max(...actual.map((score, i) => Math.abs(score - expected[i]!)));
}

/** Computed with loops alone, crop by crop: nothing of an engine is in it. */
function plainScores(): number[] {
  const network = tinyClassifier();
  const cut = new Uint8Array(TINY_CROP_PX * TINY_CROP_PX * 3);
  return crops.flatMap(({ pixels, box }) => {
    const source = { ...pixels, data: new Uint8Array(pixels.buffer) };
    extractCrop(source, box, { sizePx: TINY_CROP_PX, marginRatio: TINY_MARGIN }, cut);
    // The tiny classifier's labels stand in the order of LABELS.
    return Array.from(runPlainly(network, cut, TINY_CROP_PX, TINY_CROP_PX).scores!);
  });
}

it('the crops are not alike: one that took the place of another would be seen', () => {
  const rows = crops.map((_, i) => plain.slice(3 * i, 3 * i + 3));
  const nearest = rows.map((row, i) =>
    Math.min(...rows.map((other, k) => (i === k ? 1 : worst(row, other)))),
  );
  expect(Math.min(...nearest)).toBeGreaterThan(2 * TOLERANCE);
});

for (const adapter of ADAPTERS)
  describe.skipIf(!adapter.isInstalled)(`${adapter.name} in worker threads (needs ${adapter.needs})`, () => {
    let pool: InferencePool;
    beforeAll(async () => {
      pool = await openPool(adapter, 2);
    });
    afterAll(() => pool?.close());

    it.each(BATCH_SIZES)('scores a batch of %i as the plain computation does', async (count) => {
      expect(worst(await scoresOf(pool, count), plain)).toBeLessThan(TOLERANCE);
    });

    it('does so in all threads at once, with batches of different sizes', async () => {
      const sizes = [64, 1, 8, 2, 32, 4, 16, 64];
      const answers = await Promise.all(sizes.map((count) => scoresOf(pool, count)));
      for (const answer of answers) expect(worst(answer, plain)).toBeLessThan(TOLERANCE);
    });

    it('and in the threads that replace others that died, one after the other', async () => {
      const alone = await openPool(adapter, 1);
      try {
        for (const how of ['exit', 'throw'] as const) {
          expect(await alone.crashWorker(how)).toMatchObject({ error: { code: 'WORKER_DIED' } });
          for (const count of BATCH_SIZES)
            expect(worst(await scoresOf(alone, count), plain)).toBeLessThan(TOLERANCE);
        }
        expect(alone.workerDeaths).toBe(2);
      } finally {
        await alone.close();
      }
    });
  });

describe.skipIf(PRESENT.length < 2)('the model that ships, on every engine of this machine', () => {
  it('gives each crop the same scores, in batches of 1 to 64, also after a death', async () => {
    const modelDir = fileURLToPath(new URL(`../../models/${classification.model}`, import.meta.url));
    const told: { readonly from: string; readonly scores: readonly number[] }[] = [];
    for (const adapter of PRESENT) {
      const pool = await openPool(adapter, 1, modelDir);
      try {
        for (const count of [1, 8, 64])
          told.push({ from: `${adapter.name}, ${count}`, scores: await scoresOf(pool, count) });
        expect((await pool.crashWorker('exit')).ok).toBe(false);
        told.push({ from: `${adapter.name}, after a death`, scores: await scoresOf(pool, 64) });
      } finally {
        await pool.close();
      }
    }
    // Of a model that says the same of all, agreement would mean nothing.
    const whole = told.find(({ scores }) => scores.length === LABELS.length * crops.length)!;
    const withMask = whole.scores.filter((_, i) => i % LABELS.length === LABELS.indexOf('with_mask'));
    expect(Math.max(...withMask) - Math.min(...withMask)).toBeGreaterThan(100 * TOLERANCE);
    for (const { from, scores } of told)
      for (const { from: other, scores: others } of told)
        expect(worst(scores.slice(0, others.length), others), `${from} against ${other}`).toBeLessThan(
          TOLERANCE,
        );
  }, 120_000);
});
