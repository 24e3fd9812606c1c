import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Correction } from './dataset/corrections.js';
import type { LabelledPicture } from './dataset/picture.js';
import { heldOutHashes, readSplitFile } from './dataset/split-file.js';
import type { AlarmRules } from './evaluation/alarm-budget.js';
import { type EvaluateReport, evaluationReport } from './evaluation/evaluation-report.js';
import { readFaceTags } from './evaluation/face-tags.js';
import { type InferencePort, PictureJudge } from './evaluation/judge.js';
import { type JudgedPicture, type JudgeRules, judgePicture } from './evaluation/judge-pictures.js';
import { compareModels, type ModelComparison } from './evaluation/model-comparison.js';
import { observeAll } from './evaluation/observe-all.js';
import { type PictureSelection, picturesOfPart, selectPictures } from './evaluation/select-pictures.js';
import { writeSuspectsPage } from './evaluation/suspects-page.js';
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
  /** The model to hold the evaluated one against, with the same detector. */
  readonly incumbent?: Incumbent;
  /** Scenes only: for the expected alarms per camera and day. */
  readonly alarms?: AlarmRules;
  /** A tags file (face-tags.ts): each tag is a slice. */
  readonly tagsFile?: string;
  /** Where the readable report goes; created when missing. */
  readonly outDir?: string;
  /** Suspects of each kind on the page `suspects.html` of the report; none or 0: no such page. */
  readonly suspects?: number;
  readonly progress?: TrainingProgress;
  readonly signal?: AbortSignal;
}

export interface Incumbent {
  readonly model: string;
  readonly inference: InferencePort;
  /** Its `split.json`: with `only`, pictures that it does not keep for that part stay out of the comparison. */
  readonly splitFile?: string;
}

/** Below the product's threshold: the precision-recall curve has a tail, and most faces have landmarks. */
export const LOWEST_DETECTION_SCORE = 0.1;

/**
 * Judges labelled pictures as the product would and counts. Rejects with `AppError` DATA_NOT_FOUND, DATA_INVALID,
 * DATA_UNREADABLE, DATA_WRONG_KIND, TAGS_INVALID, a worker's code, or with the signal's reason when aborted.
 */
export async function runEvaluate(options: EvaluateOptions): Promise<EvaluateReport> {
  const { rules } = options;
  const tags = options.tagsFile === undefined ? null : await readFaceTags(options.tagsFile);
  const { pictures, corrections, correctionList } = await selectPictures(options);
  const judged = await judgeAll(pictures, options.inference, options);
  const comparison = options.incumbent ? await compare(judged, options.incumbent, options) : null;
  const report: EvaluateReport = {
    ...evaluationReport(judged, {
      model: options.model,
      data: options.only ? `${options.dataDir} (${options.only.part})` : options.dataDir,
      isScenes: options.kind === 'scenes',
      isComplete: options.isComplete ?? false,
      corrections,
      ...(tags ? { tags } : {}),
      ...(options.alarms ? { alarms: options.alarms } : {}),
      ...(rules.minLabelledPx === undefined ? {} : { minLabelledPx: rules.minLabelledPx }),
    }),
    ...(comparison ? { comparison } : {}),
  };
  if (options.outDir !== undefined) {
    const outDir = resolve(options.outDir);
    await mkdir(outDir, { recursive: true });
    const { suspects = 0 } = options;
    await writeEvaluation(outDir, report, judged, { hasSuspects: suspects > 0 });
    if (suspects > 0)
      await writeSuspects(join(outDir, 'suspects.html'), judged, report, suspects, correctionList, options);
  }
  return report;
}

async function writeSuspects(
  path: string,
  judged: readonly JudgedPicture[],
  { model, data, corrections }: EvaluateReport,
  most: number,
  correctionList: readonly Correction[],
  { progress }: EvaluateOptions,
): Promise<void> {
  progress?.begin('suspects', 2 * most, 'faces');
  await writeSuspectsPage(path, judged, {
    model,
    data,
    most,
    corrections: correctionList,
    correctionFiles: corrections.files,
    onDone: (done) => progress?.update(done),
  }).finally(() => progress?.end());
}

async function judgeAll(
  pictures: readonly LabelledPicture[],
  inference: InferencePort,
  { rules, concurrency, progress, signal }: EvaluateOptions,
): Promise<JudgedPicture[]> {
  const judge = new PictureJudge(inference, rules.scoreThreshold, LOWEST_DETECTION_SCORE);
  progress?.begin('judging', pictures.length, 'pictures');
  const observations = await observeAll(pictures, judge, {
    concurrency,
    onDone: (done) => progress?.update(done),
    ...(signal ? { signal } : {}),
  }).finally(() => progress?.end());
  return pictures.map((picture, index) => judgePicture(picture, observations[index]!, rules));
}

async function compare(
  judged: readonly JudgedPicture[],
  incumbent: Incumbent,
  options: EvaluateOptions,
): Promise<ModelComparison> {
  const all = judged.map(({ picture }) => picture);
  const shared =
    options.only && incumbent.splitFile !== undefined
      ? await picturesOfPart(all, heldOutHashes(await readSplitFile(incumbent.splitFile)), options.only.part)
      : all;
  const theirs = await judgeAll(shared, incumbent.inference, options);
  const isShared = new Set(shared);
  return compareModels(
    {
      candidate: judged.flatMap(({ picture, faces }) => (isShared.has(picture) ? faces : [])),
      incumbent: theirs.flatMap(({ faces }) => faces),
    },
    {
      candidate: options.model,
      incumbent: incumbent.model,
      leftOutPictures: all.length - shared.length,
      ...(options.rules.minFaceScore === undefined ? {} : { minFaceScore: options.rules.minFaceScore }),
    },
  );
}
