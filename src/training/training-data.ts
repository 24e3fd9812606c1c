import type { CorrectionsReport } from './dataset/correct-pictures.js';
import { correctPictures } from './dataset/correct-pictures.js';
import { discoverPictures, type ReadingOptions } from './dataset/discover.js';
import type { LabelledPicture } from './dataset/picture.js';
import { printPictures } from './dataset/prepare.js';
import { type PrintedPicture, type SplitPart, type SplitRules, splitPictures } from './dataset/split.js';
import { heldOutHashes, readSplitFile } from './dataset/split-file.js';

/** Tells how far long work is; `begin` starts a new step. */
export interface TrainingProgress {
  begin(step: string, total: number, unit: string): void;
  update(done: number, note?: string): void;
  end(): void;
}

export interface TrainingDataOptions {
  readonly dataDirs: readonly string[];
  /** For fingerprints. */
  readonly cacheDir: string;
  /** An earlier split whose held-out pictures stay held out. */
  readonly splitFile?: string;
  /** Corrections files; `false` for none, absent for those that ship with our models. */
  readonly corrections?: readonly string[] | false;
  /** Meanings of label names, and who is told of what is left out. */
  readonly reading?: ReadingOptions;
  readonly progress?: TrainingProgress;
  readonly signal?: AbortSignal;
}

/** Pictures of all data sets with their fingerprints, and the part of each. */
export interface TrainingData {
  readonly pictures: readonly PrintedPicture[];
  readonly parts: readonly SplitPart[];
  readonly corrections: CorrectionsReport;
}

/**
 * Finds, corrects, fingerprints and divides the pictures of several folders. Rejects with `AppError` DATA_NOT_FOUND,
 * DATA_INVALID, DATA_UNREADABLE, SPLIT_INVALID or those of corrections, with the signal's reason when aborted.
 */
export async function loadTrainingData(
  options: TrainingDataOptions,
  rules: SplitRules,
): Promise<TrainingData> {
  const { cacheDir, progress, signal } = options;
  const { pictures: found, report: corrections } = await correctPictures(
    await discoverAll(options.dataDirs, options.reading),
    options.corrections,
  );
  const pictures = await step(progress, 'reading pictures', found.length, 'pictures', (onProgress) =>
    printPictures(found, { cacheDir, onProgress, ...(signal ? { signal } : {}) }),
  );
  const pinned = options.splitFile ? heldOutHashes(await readSplitFile(options.splitFile)) : undefined;
  return { pictures, parts: splitPictures(pictures, rules, pinned), corrections };
}

/** Labelled faces by data set and part. */
export function countFaces(
  pictures: readonly PrintedPicture[],
  parts: readonly SplitPart[],
): Record<string, Record<SplitPart, number>> {
  const counts: Record<string, Record<SplitPart, number>> = {};
  pictures.forEach(({ picture }, index) => {
    counts[picture.dataset] ??= { train: 0, validation: 0, test: 0 };
    counts[picture.dataset]![parts[index]!] += picture.kind === 'scene' ? picture.faces.length : 1;
  });
  return counts;
}

/** Runs one step of long work with its own bar, which ends with it, however that is. */
export async function step<T>(
  progress: TrainingProgress | undefined,
  name: string,
  total: number,
  unit: string,
  run: (onProgress: (done: number, note?: string) => void) => Promise<T>,
): Promise<T> {
  progress?.begin(name, total, unit);
  try {
    return await run((done, note) => progress?.update(done, note));
  } finally {
    progress?.end();
  }
}

async function discoverAll(
  directories: readonly string[],
  reading: ReadingOptions | undefined,
): Promise<LabelledPicture[]> {
  const byPath = new Map<string, LabelledPicture>();
  for (const directory of directories)
    for (const picture of await discoverPictures(directory, reading)) byPath.set(picture.path, picture);
  return [...byPath.values()];
}
