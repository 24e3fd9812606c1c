import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { MASK_LABELS } from '../../domain/label.js';
import { readManifest } from '../../inference/manifest.js';
import { AppError } from '../../lib/errors.js';
import type { CorrectionsReport } from '../dataset/correct-pictures.js';
import type { FaceFinder } from '../dataset/face-finder.js';
import type { LabelledPicture } from '../dataset/picture.js';
import type { SplitPart } from '../dataset/split.js';
import { describeSplit, writeSplitFile } from '../dataset/split-file.js';
import { exportModel } from '../export/export-model.js';
import type { Network } from '../export/network.js';
import {
  CLOSE_UP,
  type FaceWeights,
  fitFaceWeights,
  writeFaceWeights,
} from '../face-weights/fit-face-weights.js';
import { measureBoxes, type WeighedDetector } from '../face-weights/measure-boxes.js';
import { startNativeTensorFlow } from '../head/tensorflow.js';
import type { ClassificationMetrics } from '../metrics/classification-metrics.js';
import type { FineTuneRecipe } from '../recipes/fine-tune-recipe.js';
import { runKey } from '../report/checkpoint.js';
import type { EpochFigures } from '../report/epoch-figures.js';
import { TrainingBoard } from '../report/event-log.js';
import { type RunFacts, runFacts } from '../report/run-facts.js';
import { writeTrainingReport } from '../report/training-report.js';
import { countFaces, loadTrainingData, step, type TrainingDataOptions } from '../training-data.js';
import { CropBank } from './crop-bank.js';
import { CROP_TARGETS, type CropSource, trainingSources, validationSources } from './crop-sources.js';
import { findDetections } from './find-detections.js';
import { type JudgedValidation, judgeLogits, predictBank } from './judge-validation.js';
import { MASK_OUTPUTS, withScores } from './mask-network.js';
import { startingNetwork } from './starting-network.js';
import { mostSteps, type TrainedRuns, trainRuns } from './train-runs.js';

export interface FineTuneOptions extends Omit<TrainingDataOptions, 'cacheDir'> {
  /** The model's folder, `…/models/NAME`; its last part becomes the model's name. */
  readonly outDir: string;
  /** Finds everything that may be a face, down to the recipe's `negatives.carefulScore`; closed by its owner. */
  readonly finder: FaceFinder;
  /** The detector behind `finder`: what it says is weighed against the classifier. Without it nothing is. */
  readonly detector?: WeighedDetector;
  /** Folder of `imagenet-mobilenetv2`. */
  readonly backboneDir: string;
  /** Folder of the mask classifier from which a recipe with `startsFrom: 'model'` goes on; others leave it aside. */
  readonly startDir?: string | undefined;
  /** For cut crops and what was found in pictures. Default: a folder of the system's temporary files. */
  readonly cacheDir?: string;
  /** Checkpoint, TensorBoard log and report. Default: a folder of the cache by the model's name. */
  readonly runDir?: string;
  /** Go on where an interrupted run of the same recipe, data and start stopped. */
  readonly isResumed?: boolean;
}

export interface FineTuneReport {
  readonly recipe: string;
  /** Name and version of the model that it began from. */
  readonly startedFrom: string;
  readonly out: string;
  readonly run: string;
  readonly model: string;
  /** Labelled faces by data set and part. */
  readonly faces: Readonly<Record<string, Readonly<Record<SplitPart, number>>>>;
  /** Places of which crops are cut, by data set and what they show. */
  readonly places: Readonly<Record<'train' | 'validation', Readonly<Record<string, number>>>>;
  readonly corrections: CorrectionsReport;
  readonly backend: string;
  readonly epochs: readonly EpochFigures[];
  readonly bestEpoch: number;
  readonly runs: TrainedRuns['runs'];
  readonly resumedAtStep: number;
  /** Of what is kept, after calibration. */
  readonly validation: ClassificationMetrics;
  readonly judged: JudgedValidation;
  /** Of detector and classifier, as in the manifest; `null` where there was too little to fit them on. */
  readonly faceWeights: FaceWeights | null;
  readonly seconds: number;
  readonly facts: RunFacts;
}

/**
 * Trains by a fine-tuning recipe and writes the model's folder, `split.json` and `training.json`; checkpoint,
 * TensorBoard log and report with curves go into `runDir`. Rejects with `AppError` DATA_…, TRAIN_DIVERGED,
 * TRAIN_START_UNFIT, CHECKPOINT_…, MODEL_…, or with the signal's reason when aborted.
 */
export async function runFineTune(recipe: FineTuneRecipe, options: FineTuneOptions): Promise<FineTuneReport> {
  const startMs = performance.now();
  const outDir = resolve(options.outDir);
  const cacheDir = options.cacheDir ?? join(tmpdir(), 'maskwatch-training');
  const runDir = options.runDir ?? join(cacheDir, 'runs', basename(outDir));
  const { progress, signal } = options;
  // First of all: without it hours of cutting would be for nothing.
  const backend = await startNativeTensorFlow();
  const abort = signal ? { signal } : {};
  const start = await startingNetwork(recipe, options);

  const { pictures, parts, corrections } = await loadTrainingData({ ...options, cacheDir }, recipe.split);
  const seen = await step(progress, 'finding faces', pictures.length, 'pictures', (onProgress) =>
    findDetections(pictures, options.finder, (index) => parts[index] !== 'test', {
      cacheDir,
      onProgress,
      ...abort,
    }),
  );
  const sources = {
    train: trainingSources(seen, parts, recipe),
    validation: validationSources(seen, parts, recipe),
  };
  requireEveryLabel(sources);
  const open = (part: 'train' | 'validation') =>
    step(progress, `cutting crops (${part})`, pictures.length, 'pictures', (onProgress) =>
      CropBank.open(seen, sources[part], {
        cacheDir,
        rules: {
          ...{ inputPx: recipe.inputPx, marginRatio: recipe.marginRatio },
          ...{ uprightFromDegrees: recipe.uprightFromDegrees, cut: recipe.cut },
        },
        isPlain: part === 'validation',
        onProgress,
        ...abort,
      }),
    );
  const bank = await open('train');
  const heldOut = await open('validation');

  const board = new TrainingBoard(join(runDir, 'tensorboard'));
  const judge = async (network: Network) =>
    judgeLogits(heldOut, await predictBank(network, heldOut, recipe.inputPx), recipe.labelShares);
  const trained = await step(progress, 'training', mostSteps(recipe.optimisation), 'steps', (onProgress) =>
    trainRuns(start.network, recipe, {
      bank,
      judge,
      checkpoint: {
        path: join(runDir, 'checkpoint.bin'),
        key: runKey(recipe, start.key, bank.key, heldOut.key),
        isResumed: options.isResumed ?? false,
      },
      onProgress,
      onEpoch: (figures) => board.epoch(figures),
      ...abort,
    }),
  ).finally(() => board.close());

  const trainedReport: Omit<FineTuneReport, 'faceWeights'> = {
    recipe: recipe.name,
    startedFrom: start.name,
    out: outDir,
    run: runDir,
    model: basename(outDir),
    faces: countFaces(pictures, parts),
    places: { train: countPlaces(sources.train), validation: countPlaces(sources.validation) },
    corrections,
    backend,
    epochs: trained.epochs,
    bestEpoch: trained.bestEpoch,
    runs: trained.runs,
    resumedAtStep: trained.resumedAtStep,
    validation: trained.judged.labels,
    judged: trained.judged,
    seconds: (performance.now() - startMs) / 1000,
    facts: runFacts(backend),
  };
  await writeModel(recipe, trained.network, trainedReport, start.origin);
  const faceWeights = await weighFaces(
    pictures.flatMap(({ picture }, index) => (parts[index] === 'validation' ? [picture] : [])),
    options,
  );
  const report: FineTuneReport = { ...trainedReport, faceWeights };
  await writeSplitFile(join(outDir, 'split.json'), describeSplit(pictures, parts, recipe.split));
  await writeFile(
    join(outDir, 'training.json'),
    `${JSON.stringify({ ...report, out: undefined, run: undefined, recipe }, null, 1)}\n`,
  );
  await writeReport(recipe, report);
  return report;
}

/** Fits on held-out scenes what detector and classifier count, and puts it into the manifest. */
async function weighFaces(
  pictures: readonly LabelledPicture[],
  { detector, outDir, progress, signal }: FineTuneOptions,
): Promise<FaceWeights | null> {
  if (!detector) return null;
  const boxes = await step(
    progress,
    'weighing detector and classifier',
    pictures.length,
    'pictures',
    (onProgress) =>
      measureBoxes(pictures, {
        ...{ detector, classifierDir: outDir, closeUp: CLOSE_UP, onProgress },
        ...(signal ? { signal } : {}),
      }),
  );
  const weights = fitFaceWeights(boxes, (await readManifest(detector.dir)).name);
  if (weights) await writeFaceWeights(outDir, weights);
  return weights;
}

async function writeModel(
  recipe: FineTuneRecipe,
  network: Network,
  report: Omit<FineTuneReport, 'faceWeights'>,
  origin: readonly string[],
): Promise<void> {
  const { judged, model } = report;
  await mkdir(report.out, { recursive: true });
  await exportModel(withScores(network, model, judged.calibration), {
    modelDir: report.out,
    outputs: MASK_OUTPUTS,
    isCompact: true,
    manifest: {
      name: model,
      version: '0.6.0',
      task: 'mask-classification',
      description: recipe.description,
      license: 'Apache-2.0',
      origin: [`trained by: maskwatch train --recipe ${recipe.name}, data named in README.md`, ...origin],
      labels: [...MASK_LABELS],
      crop: {
        marginRatio: recipe.marginRatio,
        square: true,
        ...(recipe.uprightFromDegrees === null ? {} : { uprightFromDegrees: recipe.uprightFromDegrees }),
        ...(recipe.secondLook ? { secondLook: recipe.secondLook } : {}),
        ...(recipe.contextMarginRatio === null ? {} : { contextMarginRatio: recipe.contextMarginRatio }),
      },
      temperature: judged.calibration.labels.temperature,
      training: {
        recipe: recipe.name,
        faces: report.faces,
        places: report.places,
        calibration: judged.calibration,
        bestEpoch: report.bestEpoch,
        runs: report.runs,
        validation: {
          accuracy: judged.labels.accuracy,
          macroF1: judged.labels.macroF1,
          ece: judged.ece,
        },
        face: judged.face,
      },
    },
  });
}

async function writeReport(recipe: FineTuneRecipe, report: FineTuneReport): Promise<void> {
  const { judged, epochs, bestEpoch } = report;
  const count = (places: Readonly<Record<string, number>>) =>
    Object.entries(places)
      .map(([name, number]) => `${name}: ${number}`)
      .join(', ');
  await writeTrainingReport(join(report.run, 'report'), {
    model: report.model,
    recipe: recipe.name,
    description: recipe.description,
    seed: recipe.optimisation.seed,
    epochs,
    bestEpoch,
    stoppedBecause:
      epochs.length < recipe.optimisation.maxEpochs * recipe.optimisation.runs
        ? `no better validation loss for ${recipe.optimisation.patienceEpochs} epochs`
        : 'all epochs of the recipe done',
    notes: describeRuns(report.runs),
    sets: [
      { name: 'validation part (used to choose the epoch and to calibrate)', metrics: judged.labels },
      ...Object.entries(judged.byDataset).map(([name, metrics]) => ({ name, metrics })),
    ],
    data: {
      'places, train': count(report.places.train),
      'places, validation': count(report.places.validation),
    },
    seconds: report.seconds,
    facts: report.facts,
  });
}

function describeRuns({ losses, meanLoss, kept }: TrainedRuns['runs']): string[] {
  if (meanLoss === null) return [];
  const each = losses.map((loss) => loss.toFixed(4)).join(', ');
  const what = kept === 'mean' ? 'the mean of their weights' : `run ${kept}`;
  return [
    `${losses.length} runs, validation loss ${each}; of the mean of their weights ${meanLoss.toFixed(4)}: kept is ${what}`,
  ];
}

function requireEveryLabel(sources: Readonly<Record<'train' | 'validation', readonly CropSource[]>>): void {
  for (const part of ['train', 'validation'] as const)
    for (const label of MASK_LABELS)
      if (!sources[part].some(({ target }) => target === label))
        throw new AppError('DATA_TOO_FEW', `the ${part} part has no face labelled ${label}`, {
          hint: 'give more data with --data; parts are drawn by picture',
          exitCode: 2,
        });
}

function countPlaces(sources: readonly CropSource[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const target of CROP_TARGETS) {
    const own = sources.filter((source) => source.target === target);
    for (const { group } of own) counts[group] = (counts[group] ?? 0) + 1;
  }
  return counts;
}
