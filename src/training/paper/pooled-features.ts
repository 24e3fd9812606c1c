import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { seededRandom } from '../../lib/random.js';
import type { Network } from '../export/network.js';
import { writeOnnx } from '../export/onnx-writer.js';
import { runKey } from '../report/checkpoint.js';
import { drawWarp, type WarpRanges, warpMatrix, warpRgb } from './affine.js';
import type { Portrait } from './portraits.js';

const BATCH = 8;

/** Runs the frozen part (output `features`, a vector) in ONNX Runtime. Close it once. */
export class PooledFeatures {
  readonly length: number;
  /** sha256 of the frozen part. */
  readonly modelHash: string;
  readonly #session: InferenceSession;
  readonly #sidePx: number;

  private constructor(session: InferenceSession, sidePx: number, length: number, modelHash: string) {
    this.modelHash = modelHash;
    this.#session = session;
    this.#sidePx = sidePx;
    this.length = length;
  }

  /** `frozen`: square input of `sidePx`, `length` features. */
  static async open(frozen: Network, sidePx: number, length: number): Promise<PooledFeatures> {
    const model = writeOnnx(frozen);
    const session = await InferenceSession.create(model, {
      intraOpNumThreads: availableParallelism(),
    });
    return new PooledFeatures(session, sidePx, length, createHash('sha256').update(model).digest('hex'));
  }

  /**
   * Features of `count` pictures, one after the other; `pixelsOf(index, target)` writes a picture's rgb24. Rejects
   * with the signal's reason when aborted.
   */
  async of(
    count: number,
    pixelsOf: (index: number, target: Uint8Array) => void,
    options: { readonly onProgress?: (done: number) => void; readonly signal?: AbortSignal } = {},
  ): Promise<Float32Array> {
    const size = this.#sidePx ** 2 * 3;
    const pixels = new Uint8Array(Math.min(BATCH, count) * size);
    const features = new Float32Array(count * this.length);
    for (let start = 0; start < count; start += BATCH) {
      options.signal?.throwIfAborted();
      const taken = Math.min(BATCH, count - start);
      for (let i = 0; i < taken; i++) pixelsOf(start + i, pixels.subarray(i * size, (i + 1) * size));
      const shape = [taken, this.#sidePx, this.#sidePx, 3];
      const input = new Tensor('uint8', pixels.subarray(0, taken * size), shape);
      const output = (await this.#session.run({ pixels: input })).features!;
      features.set(output.data as Float32Array, start * this.length);
      options.onProgress?.(start + taken);
    }
    return features;
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}

export interface AugmentedOptions {
  readonly ranges: WarpRanges;
  readonly sidePx: number;
  readonly seed: number;
  /** Where features are kept between runs, about 3 MB an epoch for 600 pictures; made. Default: not kept. */
  readonly cacheDir?: string;
}

/**
 * Features of training pictures, changed anew for every epoch. What a picture becomes depends on seed, epoch and
 * its content alone; an epoch is computed once, as several runs share a seed.
 */
export class AugmentedFeatures {
  readonly #portraits: readonly Portrait[];
  readonly #pooled: PooledFeatures;
  readonly #options: AugmentedOptions;
  readonly #epochs = new Map<number, Float32Array>();
  readonly #key: string;

  constructor(portraits: readonly Portrait[], pooled: PooledFeatures, options: AugmentedOptions) {
    this.#portraits = portraits;
    this.#pooled = pooled;
    this.#options = options;
    const { ranges, sidePx, seed } = options;
    const prints = portraits.map(({ print }) => print.contentHash);
    this.#key = runKey(pooled.modelHash, ranges, sidePx, seed, prints);
  }

  /** All training pictures in their order. The result is shared: read only. */
  async epoch(epoch: number, signal?: AbortSignal): Promise<Float32Array> {
    const known = this.#epochs.get(epoch) ?? (await this.#readKept(epoch));
    if (known) {
      this.#epochs.set(epoch, known);
      return known;
    }
    const features = await this.#pooled.of(
      this.#portraits.length,
      (index, target) => this.#draw(this.#portraits[index]!, epoch, target),
      signal ? { signal } : {},
    );
    this.#epochs.set(epoch, features);
    await this.#keep(epoch, features);
    return features;
  }

  #draw({ pixels, print }: Portrait, epoch: number, target: Uint8Array): void {
    const { sidePx: side, ranges, seed } = this.#options;
    const random = seededRandom(`${seed}:${epoch}:${print.contentHash}`);
    const warp = drawWarp(ranges, side, side, random);
    const source = { data: pixels, width: side, height: side };
    warpRgb(source, warpMatrix(warp, side, side), warp.isMirrored, target);
  }

  async #readKept(epoch: number): Promise<Float32Array | undefined> {
    if (this.#options.cacheDir === undefined) return undefined;
    const bytes = await readFile(this.#pathOf(this.#options.cacheDir, epoch)).catch(() => undefined);
    if (bytes?.length !== this.#portraits.length * this.#pooled.length * 4) return undefined;
    return new Float32Array(new Uint8Array(bytes).buffer);
  }

  async #keep(epoch: number, features: Float32Array): Promise<void> {
    const { cacheDir } = this.#options;
    if (cacheDir === undefined) return;
    await mkdir(cacheDir, { recursive: true });
    const path = this.#pathOf(cacheDir, epoch);
    await writeFile(`${path}.partial`, features);
    await rename(`${path}.partial`, path);
  }

  #pathOf(cacheDir: string, epoch: number): string {
    return join(cacheDir, `paper-${this.#key}-${epoch}.f32`);
  }
}
