import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { exportModel } from '../export/export-model.js';
import { mobileNetV2, readBackboneWeights } from '../export/mobilenet-v2.js';
import { type Network, shapesOf } from '../export/network.js';
import { startTensorFlow } from '../head/tensorflow.js';
import type { PaperRecipe } from '../recipes/paper.js';
import { runKey } from '../report/checkpoint.js';
import type { EpochFigures } from '../report/epoch-figures.js';
import { TrainingBoard } from '../report/event-log.js';
import { runFacts } from '../report/run-facts.js';
import { duration, writeTrainingReport } from '../report/training-report.js';
import type { TrainingProgress } from '../train.js';
import { drawHeldOutPart } from './held-out-part.js';
import { judgePortraits } from './judge-portraits.js';
import { paperCard } from './paper-card.js';
import { POOLED_NODE } from './paper-network.js';
import {
  type PaperReport,
  type PaperSeedReport,
  paperDeviations,
  paperFigures,
  summarise,
} from './paper-report.js';
import { AugmentedFeatures, PooledFeatures } from './pooled-features.js';
import { type PaperData, readPaperData } from './portraits.js';
import { type FeatureRows, type PaperRun, trainPaperRun } from './train-run.js';

export interface PaperTrainOptions {
  readonly recipe: PaperRecipe;
  /** Folders with `train/LABEL` and `validation/LABEL`. */
  readonly dataDirs: readonly string[];
  /** The model's folder, `…/models/NAME`; its last part becomes the model's name. */
  readonly outDir: string;
  /** Folder of `imagenet-mobilenetv2`. */
  readonly backboneDir: string;
  /** Runs with the recipe's seed and those that follow it. */
  readonly seedCount: number;
  /** TensorBoard logs, checkpoints and one report a seed go here. */
  readonly logsDir: string;
  /** Features are kept here between runs, about 3 MB an epoch. Default: not kept. */
  readonly cacheDir?: string;
  readonly progress?: TrainingProgress;
  readonly signal?: AbortSignal;
}

/**
 * Trains by the paper's method, once a seed, and beside it once with the epoch chosen on a part of the training
 * pictures; writes the model of the run with the lowest validation loss, `training.json` and the reports. An
 * interrupted run goes on from its checkpoints when it is started again. Rejects with `AppError` DATA_*,
 * MODEL_NOT_FOUND, CHECKPOINT_*, or with the signal's reason.
 */
export async function runPaperTraining(options: PaperTrainOptions): Promise<PaperReport> {
  const { recipe, progress, signal, logsDir } = options;
  const outDir = resolve(options.outDir);
  const model = basename(outDir);
  const weights = await readBackboneWeights(options.backboneDir);
  const backbone = mobileNetV2({ weights, sizePx: recipe.inputPx, at: POOLED_NODE });
  const data = await readData(options);
  const backend = await startTensorFlow();
  const pooled = await PooledFeatures.open(backbone, recipe.inputPx, featureCount(backbone));
  const seeds: PaperSeedReport[] = [];
  let shipped: { seed: number; run: PaperRun; loss: number } | undefined;
  try {
    const validation: FeatureRows = {
      features: await pooled.of(
        data.validation.length,
        (index, target) => target.set(data.validation[index]!.pixels),
        signal ? { signal } : {},
      ),
      labels: data.validation.map(({ labelIndex }) => labelIndex),
    };
    for (let i = 0; i < options.seedCount; i++) {
      const seed = recipe.optimisation.seed + i;
      const { run, report } = await trainSeed(seed, {
        ...options,
        model,
        backbone,
        data,
        pooled,
        validation,
      });
      seeds.push(report);
      if (!shipped || report.validation.loss < shipped.loss)
        shipped = { seed, run, loss: report.validation.loss };
      await writeSeedReport(join(logsDir, `seed-${seed}`), { recipe, model, seed, run, data, backend });
    }
  } finally {
    await pooled.close();
  }
  const { seed: shippedSeed, run } = shipped!;
  const trained = await judgePortraits(run.network, data.validation, recipe, false);
  const stored = await judgePortraits(run.network, data.validation, recipe, true);
  const report: PaperReport = {
    kind: 'paper',
    recipe,
    model,
    command: `maskwatch train --recipe ${recipe.name} --seeds ${options.seedCount}`,
    data: {
      train: countLabels(data.train, recipe),
      validation: countLabels(data.validation, recipe),
      twinsInTrain: data.twinGroups.length - new Set(data.twinGroups).size,
      twinsAcross: data.twinsAcross,
    },
    seeds,
    asInThePaper: summarise(seeds.map(({ validation }) => validation)),
    chosenOnHeldOutPart: summarise(seeds.map(({ chosenOnHeldOutPart }) => chosenOnHeldOutPart.validation)),
    shippedSeed,
    epochs: run.epochs,
    bestEpoch: run.bestEpoch,
    validation: stored.metrics,
    storedWeights: {
      largestDifference: Math.max(...stored.scores.map((score, i) => Math.abs(score - trained.scores[i]!))),
      otherLabels: stored.scores.filter((score, i) => score > 0.5 !== trained.scores[i]! > 0.5).length / 2,
    },
    deviations: paperDeviations(recipe),
    seconds: seeds.reduce((sum, { seconds }) => sum + seconds, 0),
    facts: runFacts(backend),
  };
  await writeModel(outDir, report, run.network);
  await writeSeedReport(join(outDir, 'report'), { recipe, model, seed: shippedSeed, run, data, backend });
  progress?.end();
  return report;
}

interface SeedContext extends PaperTrainOptions {
  readonly model: string;
  readonly backbone: Network;
  readonly data: PaperData;
  readonly pooled: PooledFeatures;
  readonly validation: FeatureRows;
}

async function trainSeed(
  seed: number,
  context: SeedContext,
): Promise<{ run: PaperRun; report: PaperSeedReport }> {
  const { recipe, data, model, backbone, validation, signal } = context;
  const directory = join(context.logsDir, `seed-${seed}`);
  const augmented = new AugmentedFeatures(data.train, context.pooled, {
    ranges: recipe.augmentation,
    sidePx: recipe.inputPx,
    seed,
    ...(context.cacheDir === undefined ? {} : { cacheDir: context.cacheDir }),
  });
  const labels = data.train.map(({ labelIndex }) => labelIndex);
  const prints = [data.train, data.validation].map((part) => part.map(({ print }) => print.contentHash));
  const rowsOf = (features: Float32Array, indices: readonly number[]): FeatureRows => {
    const length = features.length / labels.length;
    const taken = new Float32Array(indices.length * length);
    for (const [i, index] of indices.entries())
      taken.set(features.subarray(index * length, (index + 1) * length), i * length);
    return { features: taken, labels: indices.map((index) => labels[index]!) };
  };
  const train = async (name: string, chosenBy: FeatureRows, indices: readonly number[]) => {
    const board = new TrainingBoard(join(directory, name));
    context.progress?.begin(`seed ${seed}, ${name}`, recipe.optimisation.maxEpochs, 'epochs');
    try {
      return await trainPaperRun({
        name: model,
        recipe,
        seed,
        backbone,
        chosenBy,
        epochFeatures: async (epoch) => rowsOf(await augmented.epoch(epoch, signal), indices),
        checkpoint: {
          path: join(directory, `${name}.checkpoint`),
          key: runKey(recipe, prints, seed, name, indices.length),
        },
        onEpoch: (figures) => {
          board.epoch(figures);
          context.progress?.update(figures.epoch, describeEpoch(figures, chosenBy.labels.length));
        },
        ...(signal ? { signal } : {}),
      });
    } finally {
      board.close();
      context.progress?.end();
    }
  };
  const run = await train('as-in-the-paper', validation, [...labels.keys()]);
  const part = drawHeldOutPart(labels, data.twinGroups, recipe.heldOutShare, seed);
  const plain = await context.pooled.of(part.heldOut.length, (index, target) =>
    target.set(data.train[part.heldOut[index]!]!.pixels),
  );
  const other = await train(
    'chosen-on-held-out-part',
    { features: plain, labels: part.heldOut.map((index) => labels[index]!) },
    part.train,
  );
  const judge = async ({ network }: PaperRun) =>
    paperFigures(await judgePortraits(network, data.validation, recipe, false));
  return {
    run,
    report: {
      seed,
      epochs: run.epochs.length,
      bestEpoch: run.bestEpoch,
      stoppedBecause: run.stoppedBecause,
      seconds: [...run.epochs, ...other.epochs].reduce((sum, { seconds }) => sum + seconds, 0),
      validation: await judge(run),
      chosenOnHeldOutPart: {
        trainedOn: part.train.length,
        chosenOn: part.heldOut.length,
        epochs: other.epochs.length,
        bestEpoch: other.bestEpoch,
        validation: await judge(other),
      },
    },
  };
}

async function readData({ recipe, dataDirs, progress, signal }: PaperTrainOptions): Promise<PaperData> {
  let isBegun = false;
  const data = await readPaperData(dataDirs, recipe.labels, recipe.inputPx, {
    onPicture: (done, total) => {
      if (!isBegun) progress?.begin('reading pictures', total, 'pictures');
      isBegun = true;
      progress?.update(done);
    },
    ...(signal ? { signal } : {}),
  });
  progress?.end();
  return data;
}

function describeEpoch({ validationLoss, validationAccuracy }: EpochFigures, count: number): string {
  const errors = Math.round((1 - validationAccuracy) * count);
  return `validation loss ${validationLoss.toFixed(4)}, ${errors} of ${count} wrong`;
}

function featureCount(backbone: Network): number {
  const shape = shapesOf(backbone).get(POOLED_NODE);
  return shape?.kind === 'vector' ? shape.channels : 0;
}

function countLabels(portraits: PaperData['train'], { labels }: PaperRecipe): Record<string, number> {
  return Object.fromEntries(
    labels.map((label, i) => [label, portraits.filter(({ labelIndex }) => labelIndex === i).length]),
  );
}

interface SeedResult {
  readonly recipe: PaperRecipe;
  readonly model: string;
  readonly seed: number;
  readonly run: PaperRun;
  readonly data: PaperData;
  readonly backend: string;
}

async function writeSeedReport(directory: string, result: SeedResult): Promise<void> {
  const { recipe, model, seed, run, data, backend } = result;
  const { metrics } = await judgePortraits(run.network, data.validation, recipe, false);
  const counts = (part: PaperData['train']) =>
    Object.entries(countLabels(part, recipe))
      .map(([label, count]) => `${count} ${label}`)
      .join(', ');
  await writeTrainingReport(directory, {
    model,
    recipe: recipe.name,
    description: recipe.description,
    seed,
    epochs: run.epochs,
    bestEpoch: run.bestEpoch,
    stoppedBecause: run.stoppedBecause,
    sets: [{ name: 'Validation pictures (the epoch was chosen on them, as in the paper)', metrics }],
    data: { 'trained on': counts(data.train), 'validated on': counts(data.validation) },
    seconds: run.epochs.reduce((sum, { seconds }) => sum + seconds, 0),
    facts: runFacts(backend),
    notes: paperDeviations(recipe),
  });
}

async function writeModel(outDir: string, report: PaperReport, network: Network): Promise<void> {
  const { recipe, validation } = report;
  await mkdir(outDir, { recursive: true });
  await exportModel(network, {
    modelDir: outDir,
    outputs: { scores: { meaning: 'scores by label, together 1; not calibrated' } },
    isCompact: true,
    card: paperCard(report),
    manifest: {
      name: report.model,
      version: '1.0.0',
      task: 'mask-classification',
      description: recipe.description,
      license: 'Apache-2.0',
      origin: [
        'frozen part: models/imagenet-mobilenetv2',
        `head: ${report.command}, data named in README.md`,
      ],
      labels: [...recipe.labels],
      crop: { marginRatio: recipe.marginRatio, square: true, portraits: 'whole' },
      training: {
        recipe: recipe.name,
        trainedOn: report.data.train,
        seed: report.shippedSeed,
        bestEpoch: report.bestEpoch,
        validation: { accuracy: validation.accuracy, macroF1: validation.macroF1 },
      },
    },
  });
  await writeFile(join(outDir, 'training.json'), `${JSON.stringify(report, null, 1)}\n`);
}

/** The table of the seeds, for people. */
export function describeSeeds(report: PaperReport): string[] {
  const share = (value: number) => `${(value * 100).toFixed(2)} %`;
  const line = ({ right, count, accuracy, loss }: PaperSeedReport['validation']) =>
    `${right} of ${count} (${share(accuracy)}), loss ${loss.toFixed(4)}`;
  return [
    ...report.seeds.map(
      ({ seed, epochs, bestEpoch, validation, chosenOnHeldOutPart: other }) =>
        `seed ${seed}: epoch ${bestEpoch} of ${epochs}, ${line(validation)}; chosen on a part of the training pictures: epoch ${other.bestEpoch} of ${other.epochs}, ${line(other.validation)}`,
    ),
    `median ${share(report.asInThePaper.medianAccuracy)}, fewest errors ${report.asInThePaper.fewestErrors}; chosen on a part: median ${share(report.chosenOnHeldOutPart.medianAccuracy)}, fewest errors ${report.chosenOnHeldOutPart.fewestErrors}`,
    `seed ${report.shippedSeed} kept, ${duration(report.seconds)}`,
  ];
}
