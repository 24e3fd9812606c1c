import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { MASK_LABELS, type MaskLabel } from '../domain/label.js';
import { AppError } from '../lib/errors.js';
import type { CorrectionsReport } from './dataset/correct-pictures.js';
import type { FaceFinder } from './dataset/face-finder.js';
import { prepareFaces } from './dataset/prepare.js';
import type { SplitPart } from './dataset/split.js';
import { describeSplit, writeSplitFile } from './dataset/split-file.js';
import { exportModel } from './export/export-model.js';
import { mobileNetV2, readBackboneWeights } from './export/mobilenet-v2.js';
import type { Network } from './export/network.js';
import { extractFeatures } from './features/extract-features.js';
import { buildFrozenPart, type FrozenPart } from './features/feature-network.js';
import { countByLabel, planSamples } from './features/sample-plan.js';
import { type FineTuneOptions, type FineTuneReport, runFineTune } from './fine-tune/run-fine-tune.js';
import type { MaskHead } from './head/mask-head.js';
import { startTensorFlow } from './head/tensorflow.js';
import { type EpochReport, mostSteps, type TrainedHead, trainHead } from './head/train-head.js';
import type { Calibration } from './metrics/calibration.js';
import type { ClassificationMetrics } from './metrics/classification-metrics.js';
import { findRecipe } from './recipes/index.js';
import type { Recipe } from './recipes/recipe.js';
import { TrainingBoard } from './report/event-log.js';
import { modelCard } from './report/model-card.js';
import { runFacts } from './report/run-facts.js';
import { writeTrainingReport } from './report/training-report.js';
import { countFaces, loadTrainingData, step, type TrainingDataOptions } from './training-data.js';

export type { TrainingProgress } from './training-data.js';

export interface TrainOptions extends Omit<TrainingDataOptions, 'cacheDir'> {
  readonly recipe: string;
  /** The model's folder, `…/models/NAME`; its last part becomes the model's name. */
  readonly outDir: string;
  /** Finds the faces; closed by its owner. */
  readonly finder: FaceFinder;
  /** The detector behind `finder`, for recipes that weigh it against the classifier. */
  readonly detector?: NonNullable<FineTuneOptions['detector']>;
  /** Folder of `imagenet-mobilenetv2`. */
  readonly backboneDir: string;
  /** Folder of the mask classifier from which a recipe goes on that begins with one. */
  readonly startDir?: string | undefined;
  /** For prepared pictures, crops and features. Default: a folder of the system's temporary files. */
  readonly cacheDir?: string;
  /** Checkpoint, TensorBoard log and report with curves. Default: a folder of the cache by the model's name. */
  readonly runDir?: string;
  /** Go on where an interrupted run of the same recipe and data stopped; recipes on frozen features begin anew. */
  readonly isResumed?: boolean;
}

export interface TrainReport {
  readonly recipe: string;
  readonly out: string;
  readonly run: string;
  readonly model: string;
  /** Labelled faces by data set and part. */
  readonly faces: Readonly<Record<string, Readonly<Record<SplitPart, number>>>>;
  /** Samples (faces and changed copies) by label. */
  readonly samples: Readonly<Record<'train' | 'validation', Readonly<Record<MaskLabel, number>>>>;
  readonly corrections: CorrectionsReport;
  readonly backend: string;
  readonly epochs: readonly EpochReport[];
  readonly bestEpoch: number;
  readonly calibration: Calibration;
  /** After calibration. */
  readonly validation: ClassificationMetrics;
  readonly seconds: number;
}

/**
 * Trains a model from labelled pictures by a recipe and writes its folder: ONNX and TensorFlow.js forms,
 * manifest, card, the split (`split.json`) and the report (`training.json`); TensorBoard log and report with curves
 * go into `runDir`. Pictures of the `test` part are
 * fingerprinted, to keep their near twins out of training, and then left alone. Rejects with `AppError` RECIPE_UNKNOWN,
 * DATA_NOT_FOUND, DATA_INVALID, DATA_TOO_FEW, MODEL_NOT_FOUND, or with the signal's reason when aborted.
 */
export async function runTrain(options: TrainOptions): Promise<TrainReport | FineTuneReport> {
  const recipe = findRecipe(options.recipe);
  if (recipe.kind === 'paper')
    throw new AppError('RECIPE_INVALID', `the recipe ${recipe.name} is trained by runPaperTraining`);
  return recipe.kind === 'fine-tune' ? runFineTune(recipe, options) : trainOnFrozen(recipe, options);
}

async function trainOnFrozen(recipe: Recipe, options: TrainOptions): Promise<TrainReport> {
  const startMs = performance.now();
  const outDir = resolve(options.outDir);
  const cacheDir = options.cacheDir ?? join(tmpdir(), 'maskwatch-training');
  const runDir = options.runDir ?? join(cacheDir, 'runs', basename(outDir));
  const { progress, signal } = options;
  const shared = signal ? { cacheDir, signal } : { cacheDir };
  const weights = await readBackboneWeights(options.backboneDir);
  const backbone = mobileNetV2({ weights, sizePx: recipe.inputPx, at: 'head' });
  const frozen = buildFrozenPart(backbone, recipe.featureNodes);

  const {
    pictures: printed,
    parts,
    corrections,
  } = await loadTrainingData({ ...options, cacheDir }, recipe.split);
  const isOpen = (index: number) => parts[index] !== 'test';
  const pictures = await step(progress, 'finding faces', printed.length, 'pictures', (onProgress) =>
    prepareFaces(printed, options.finder, isOpen, { ...shared, onProgress }),
  );
  const plans = {
    train: planSamples(pictures, parts, 'train', recipe),
    validation: planSamples(pictures, parts, 'validation', recipe),
  };
  const samples = { train: countByLabel(plans.train), validation: countByLabel(plans.validation) };
  requireEveryLabel(samples);

  const extract = (part: 'train' | 'validation') =>
    step(progress, `features (${part})`, plans[part].length, 'crops', (onProgress) =>
      extractFeatures(pictures, plans[part], { ...shared, recipe, frozen, onProgress }),
    );
  const training = await extract('train');
  const validation = await extract('validation');

  const backend = await startTensorFlow();
  const { optimisation } = recipe;
  const totalSteps = mostSteps(training, optimisation);
  const board = new TrainingBoard(join(runDir, 'tensorboard'));
  let lastF1 = '';
  const trained = await step(progress, 'training', totalSteps, 'steps', (onProgress) =>
    trainHead(training, validation, {
      map: frozen,
      shape: recipe.head,
      optimisation,
      labelShares: recipe.labelShares,
      onStep: (done, loss) => onProgress(done, `loss ${loss.toFixed(3)}${lastF1}`),
      onEpoch: (figures) => {
        board.epoch(figures);
        lastF1 = `, epoch ${figures.epoch}: validation macro-F1 ${figures.validationMacroF1.toFixed(4)}`;
      },
      ...(signal ? { signal } : {}),
    }),
  ).finally(() => board.close());
  const report: TrainReport = {
    recipe: recipe.name,
    out: outDir,
    run: runDir,
    model: basename(outDir),
    faces: countFaces(pictures, parts),
    samples,
    corrections,
    backend,
    epochs: trained.epochs,
    bestEpoch: trained.bestEpoch,
    calibration: trained.calibration,
    validation: trained.validation,
    seconds: (performance.now() - startMs) / 1000,
  };
  await writeModel(outDir, recipe, frozen, trained, report);
  await writeSplitFile(join(outDir, 'split.json'), describeSplit(pictures, parts, recipe.split));
  await writeFile(
    join(outDir, 'training.json'),
    `${JSON.stringify({ ...report, out: undefined, run: undefined, recipe }, null, 1)}\n`,
  );
  await writeReport(recipe, report);
  trained.head.dispose();
  return report;
}

/** The frozen part with the head on it, from pixels to scores. */
export function buildClassifier(
  name: string,
  frozen: FrozenPart,
  head: MaskHead,
  calibration: Calibration,
): Network {
  const map = frozen.network.outputs[0]!.node;
  return {
    name,
    nodes: [...frozen.network.nodes, ...head.toNodes(map, calibration)],
    outputs: [{ name: 'scores', node: 'head_scores' }],
  };
}

async function writeModel(
  outDir: string,
  recipe: Recipe,
  frozen: FrozenPart,
  { head }: TrainedHead,
  report: TrainReport,
): Promise<void> {
  await mkdir(outDir, { recursive: true });
  await exportModel(buildClassifier(report.model, frozen, head, report.calibration), {
    modelDir: outDir,
    outputs: { scores: { meaning: 'calibrated scores by label, together 1' } },
    isCompact: true,
    card: modelCard(recipe, report),
    manifest: {
      name: report.model,
      version: '0.1.0',
      task: 'mask-classification',
      description: recipe.description,
      license: 'Apache-2.0',
      origin: [
        'frozen part: models/imagenet-mobilenetv2',
        `head: maskwatch train --recipe ${recipe.name}, data named in README.md`,
      ],
      labels: [...MASK_LABELS],
      crop: { marginRatio: recipe.marginRatio, square: true },
      temperature: report.calibration.temperature,
      training: {
        recipe: recipe.name,
        faces: report.faces,
        samples: report.samples,
        calibrationBias: report.calibration.bias,
        bestEpoch: report.bestEpoch,
        validation: { accuracy: report.validation.accuracy, macroF1: report.validation.macroF1 },
      },
    },
  });
}

async function writeReport(recipe: Recipe, report: TrainReport): Promise<void> {
  const { epochs, bestEpoch, validation, samples } = report;
  const count = (byLabel: Readonly<Record<string, number>>) =>
    Object.entries(byLabel)
      .map(([label, number]) => `${number} ${label}`)
      .join(', ');
  await writeTrainingReport(join(report.run, 'report'), {
    ...{ model: report.model, recipe: recipe.name, description: recipe.description },
    ...{ seed: recipe.optimisation.seed, epochs, bestEpoch, seconds: report.seconds },
    stoppedBecause:
      epochs.length < recipe.optimisation.maxEpochs
        ? `no better validation loss for ${recipe.optimisation.patienceEpochs} epochs`
        : 'all epochs of the recipe done',
    sets: [{ name: 'validation part (used to choose the epoch and to calibrate)', metrics: validation }],
    data: { 'samples, train': count(samples.train), 'samples, validation': count(samples.validation) },
    facts: runFacts(report.backend),
  });
}

function requireEveryLabel(samples: TrainReport['samples']): void {
  for (const part of ['train', 'validation'] as const)
    for (const label of MASK_LABELS)
      if (samples[part][label] === 0)
        throw new AppError('DATA_TOO_FEW', `the ${part} part has no face labelled ${label}`, {
          hint: 'give more data with --data; parts are drawn by picture',
          exitCode: 2,
        });
}
