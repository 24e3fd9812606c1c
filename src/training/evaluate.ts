import { mkdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '../lib/errors.js';
import { type CorrectionsReport, correctPictures } from './dataset/correct-pictures.js';
import { discoverPictures } from './dataset/discover.js';
import { fingerprintPicture } from './dataset/fingerprint.js';
import type { LabelledPicture } from './dataset/picture.js';
import type { SplitPart } from './dataset/split.js';
import { heldOutHashes, readSplitFile } from './dataset/split-file.js';
import { type EvaluateReport, evaluationReport } from './evaluation/evaluation-report.js';
import { type InferencePort, PictureJudge } from './evaluation/judge.js';
import { type JudgedPicture, type JudgeRules, judgePicture } from './evaluation/judge-pictures.js';
import { writeEvaluation } from './evaluation/write-evaluation.js';
import type { TrainingProgress } from './train.js';

export type { EvaluateReport } from './evaluation/evaluation-report.js';

export interface EvaluateOptions {
  /** `crops`: a folder per label, one person a picture. `scenes`: pictures with `annotations.jsonl`. */
  readonly kind: 'crops' | 'scenes';
  readonly dataDir: string;
  /** The model's name, for the report. */
  readonly model: string;
  /** The product's detector and classifier; stays its owner's. */
  readonly inference: InferencePort;
  readonly rules: JudgeRules;
  /** Pictures judged at once: the number of workers. */
  readonly concurrency: number;
  /** Only pictures of this part of a split file (the model's `split.json`). */
  readonly only?: { readonly splitFile: string; readonly part: SplitPart };
  /** Corrections files; `false` for none, absent for those that ship with our models. */
  readonly corrections?: readonly string[] | false;
  /** Every face of the set is labelled. */
  readonly isComplete?: boolean;
  /** Where the readable report goes; created when missing. */
  readonly outDir?: string;
  readonly progress?: TrainingProgress;
  readonly signal?: AbortSignal;
}

/** Below the product's threshold, so that the precision-recall curve has a tail. */
export const LOWEST_DETECTION_SCORE = 0.1;

/**
 * Judges labelled pictures as the product would and counts. Rejects with `AppError` DATA_NOT_FOUND, DATA_INVALID,
 * DATA_UNREADABLE, DATA_WRONG_KIND, a worker's code, or with the signal's reason when aborted.
 */
export async function runEvaluate(options: EvaluateOptions): Promise<EvaluateReport> {
  const { signal, progress } = options;
  const { pictures, corrections } = await selectPictures(options);
  const judge = new PictureJudge(
    options.inference,
    options.isComplete ? LOWEST_DETECTION_SCORE : options.rules.scoreThreshold,
  );
  const judged: JudgedPicture[] = new Array(pictures.length);
  progress?.begin('judging', pictures.length, 'pictures');
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let index = next++; index < pictures.length; index = next++) {
      signal?.throwIfAborted();
      judged[index] = await judgePicture(pictures[index]!, judge, options.rules);
      progress?.update(++done);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, work));
  } finally {
    progress?.end();
  }
  const report = evaluationReport(judged, {
    model: options.model,
    data: options.only ? `${options.dataDir} (${options.only.part})` : options.dataDir,
    isScenes: options.kind === 'scenes',
    isComplete: options.isComplete ?? false,
    corrections,
  });
  if (options.outDir !== undefined) {
    const outDir = resolve(options.outDir);
    await mkdir(outDir, { recursive: true });
    await writeEvaluation(outDir, report, judged);
  }
  return report;
}

async function selectPictures({
  kind,
  dataDir,
  only,
  corrections,
}: EvaluateOptions): Promise<{ pictures: LabelledPicture[]; corrections: CorrectionsReport }> {
  const isThere = await stat(dataDir).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (!isThere)
    throw new AppError('DATA_NOT_FOUND', `${dataDir} is no folder`, { path: dataDir, exitCode: 2 });
  const wanted = kind === 'scenes' ? 'scene' : 'portrait';
  const corrected = await correctPictures(await discoverPictures(dataDir), corrections);
  let pictures = corrected.pictures.filter((picture) => picture.kind === wanted);
  if (pictures.length === 0)
    throw new AppError('DATA_WRONG_KIND', `${dataDir} holds no ${kind}`, {
      path: dataDir,
      hint: kind === 'scenes' ? 'for one folder per label use --crops' : 'for annotations.jsonl use --scenes',
      exitCode: 2,
    });
  if (only) {
    const parts = heldOutHashes(await readSplitFile(only.splitFile));
    const kept: LabelledPicture[] = [];
    for (const picture of pictures) {
      const { contentHash } = await fingerprintPicture(picture.path);
      if ((parts.get(contentHash) ?? 'train') === only.part) kept.push(picture);
    }
    pictures = kept;
    if (pictures.length === 0)
      throw new AppError('DATA_NOT_FOUND', `${dataDir} holds no picture of the part ${only.part}`, {
        path: dataDir,
        exitCode: 2,
      });
  }
  return { pictures, corrections: corrected.report };
}
