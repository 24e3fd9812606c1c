import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';
import { AppError } from '../../lib/errors.js';
import { CUT_VERSION } from '../augment/cut-version.js';
import type { CropSource } from './crop-sources.js';
import type { CutRules } from './cut-crop.js';
import type { CutTask } from './cut-worker.js';
import type { SeenPicture } from './find-detections.js';

/** Crops by place and variant. */
export interface CropReader {
  readonly sources: readonly CropSource[];
  /** Bytes of a crop: inputPx² · 3. */
  readonly cropBytes: number;
  /** Hash of all that the crops depend on. */
  readonly key: string;
  /** Copies one variant of a source into `target`, `cropBytes` long. */
  read(sourceIndex: number, variant: number, target: Uint8Array): void;
}

export interface CropBankOptions {
  /** Folder of the shards, one file a picture; created when missing. */
  readonly cacheDir: string;
  readonly rules: CutRules;
  /** One crop a place, as the product cuts. */
  readonly isPlain: boolean;
  /** Default: one per core. */
  readonly threads?: number;
  readonly onProgress?: (donePictures: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Crops cut ahead of training, in files, so that every epoch and every experiment finds them ready. Only what is
 * missing is cut, on all cores: after a correction that is the pictures that it touches.
 */
export class CropBank implements CropReader {
  readonly sources: readonly CropSource[];
  /** Bytes of a crop: inputPx² · 3. */
  readonly cropBytes: number;
  /** Hash of all that the crops depend on. */
  readonly key: string;
  readonly #shards: readonly string[];
  /** First crop of each source in its shard. */
  readonly #first: readonly number[];

  private constructor(
    sources: readonly CropSource[],
    cropBytes: number,
    shards: readonly string[],
    first: readonly number[],
  ) {
    this.sources = sources;
    this.cropBytes = cropBytes;
    this.key = createHash('sha256')
      .update(JSON.stringify([shards.map((path) => basename(path)), sources]))
      .digest('hex')
      .slice(0, 16);
    this.#shards = shards;
    this.#first = first;
  }

  /** Rejects with `AppError` DATA_UNREADABLE, or with the signal's reason when aborted. */
  static async open(
    pictures: readonly SeenPicture[],
    sources: readonly CropSource[],
    options: CropBankOptions,
  ): Promise<CropBank> {
    const { rules, isPlain } = options;
    const folder = join(options.cacheDir, 'crops');
    await mkdir(folder, { recursive: true });
    const cropBytes = rules.inputPx ** 2 * 3;
    const byPicture = new Map<number, number[]>();
    sources.forEach(({ pictureIndex }, index) => {
      const list = byPicture.get(pictureIndex);
      if (list) list.push(index);
      else byPicture.set(pictureIndex, [index]);
    });
    const shards: string[] = new Array(sources.length);
    const first: number[] = new Array(sources.length);
    const missing: CutTask[] = [];
    for (const [pictureIndex, indices] of byPicture) {
      const { picture, print } = pictures[pictureIndex]!;
      const places = indices.map((index) => {
        const { box, labelledBox, landmarks, painted, variants } = sources[index]!;
        return { box, labelledBox, landmarks, variants, ...(painted ? { painted } : {}) };
      });
      const key = createHash('sha256')
        .update(JSON.stringify([CUT_VERSION, print.contentHash, places, rules, isPlain]))
        .digest('hex');
      const shardPath = join(folder, `${key.slice(0, 24)}.rgb`);
      let count = 0;
      for (const index of indices) {
        shards[index] = shardPath;
        first[index] = count;
        count += isPlain ? 1 : sources[index]!.variants;
      }
      const size = await stat(shardPath).then(
        (entry) => entry.size,
        () => -1,
      );
      if (size !== count * cropBytes)
        missing.push({
          picturePath: picture.path,
          seed: print.contentHash,
          places,
          rules,
          isPlain,
          shardPath,
        });
    }
    await cutAll(missing, byPicture.size, options);
    return new CropBank(sources, cropBytes, shards, first);
  }

  /** Reads one variant of a source into `target`. Throws `AppError` CACHE_INCOMPLETE when its file is gone or short. */
  read(sourceIndex: number, variant: number, target: Uint8Array): void {
    const path = this.#shards[sourceIndex]!;
    const position = (this.#first[sourceIndex]! + variant) * this.cropBytes;
    try {
      const file = openSync(path, 'r');
      try {
        if (readSync(file, target, 0, this.cropBytes, position) === this.cropBytes) return;
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      throw incomplete(path, cause);
    }
    throw incomplete(path);
  }
}

async function cutAll(
  tasks: readonly CutTask[],
  pictureCount: number,
  { onProgress, signal, threads = availableParallelism() }: CropBankOptions,
): Promise<void> {
  let done = pictureCount - tasks.length;
  onProgress?.(done);
  if (tasks.length === 0) return;
  const pool = new Piscina<CutTask, void>({
    ...workerFile(),
    minThreads: Math.min(threads, tasks.length),
    maxThreads: Math.min(threads, tasks.length),
  });
  try {
    let next = 0;
    // A few in hand for each thread, so that none waits; the queue stays short.
    const hands = Array.from({ length: threads * 2 }, async () => {
      for (let task = tasks[next++]; task; task = tasks[next++]) {
        signal?.throwIfAborted();
        await pool.run(task);
        onProgress?.(++done);
      }
    });
    await Promise.all(hands);
  } finally {
    await pool.destroy();
  }
}

function workerFile(): { filename: string; execArgv?: string[] } {
  const isSource = import.meta.url.endsWith('.ts');
  const filename = fileURLToPath(new URL(`./cut-worker.${isSource ? 'ts' : 'js'}`, import.meta.url));
  if (!isSource) return { filename };
  // `--import tsx` itself registers in the main thread only.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const api = new URL('./dist/esm/api/index.mjs', tsx).href;
  const register = `import { register } from ${JSON.stringify(api)}; register();`;
  return { filename, execArgv: ['--import', `data:text/javascript,${encodeURIComponent(register)}`] };
}

function incomplete(path: string, cause?: unknown): AppError {
  return new AppError('CACHE_INCOMPLETE', `${path} was cut ahead of training and is gone or short`, {
    cause,
    path,
    hint: 'run again with the same --cache and --resume: what is missing is cut again',
  });
}
