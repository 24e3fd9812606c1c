import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type EvaluateReport, evaluationReport } from './evaluation/evaluation-report.js';
import { type InferencePort, PictureJudge } from './evaluation/judge.js';
import { type JudgeRules, judgePicture } from './evaluation/judge-pictures.js';
import { observeAll } from './evaluation/observe-all.js';
import { type PictureSelection, selectPictures } from './evaluation/select-pictures.js';
import { writeEvaluation } from './evaluation/write-evaluation.js';
import type { TrainingProgress } from './train.js';

export type { EvaluateReport } from './evaluation/evaluation-report.js';

export interface EvaluateOptions extends PictureSelection {
  /** The model's name, for the report. */
  readonly model: string;
  /** The product's detector and classifier; stays its owner's. */
  readonly inference: InferencePort;
  readonly rules: JudgeRules;
  /** Pictures judged at once: the number of workers. */
  readonly concurrency: number;
  /** Every face of the set is labelled. */
  readonly isComplete?: boolean;
  /** Where the readable report goes; created when missing. */
  readonly outDir?: string;
  readonly progress?: TrainingProgress;
  readonly signal?: AbortSignal;
}

/** Below the product's threshold: the precision-recall curve has a tail, and most faces have landmarks. */
export const LOWEST_DETECTION_SCORE = 0.1;

/**
 * Judges labelled pictures as the product would and counts. Rejects with `AppError` DATA_NOT_FOUND, DATA_INVALID,
 * DATA_UNREADABLE, DATA_WRONG_KIND, a worker's code, or with the signal's reason when aborted.
 */
export async function runEvaluate(options: EvaluateOptions): Promise<EvaluateReport> {
  const { signal, progress, rules } = options;
  const { pictures, corrections } = await selectPictures(options);
  const judge = new PictureJudge(options.inference, rules.scoreThreshold, LOWEST_DETECTION_SCORE);
  progress?.begin('judging', pictures.length, 'pictures');
  const observations = await observeAll(pictures, judge, {
    concurrency: options.concurrency,
    onDone: (done) => progress?.update(done),
    ...(signal ? { signal } : {}),
  }).finally(() => progress?.end());
  const judged = pictures.map((picture, index) => judgePicture(picture, observations[index]!, rules));
  const report = evaluationReport(judged, {
    model: options.model,
    data: options.only ? `${options.dataDir} (${options.only.part})` : options.dataDir,
    isScenes: options.kind === 'scenes',
    isComplete: options.isComplete ?? false,
    corrections,
    ...(rules.minLabelledPx === undefined ? {} : { minLabelledPx: rules.minLabelledPx }),
  });
  if (options.outDir !== undefined) {
    const outDir = resolve(options.outDir);
    await mkdir(outDir, { recursive: true });
    await writeEvaluation(outDir, report, judged);
  }
  return report;
}
