import * as tf from '@tensorflow/tfjs-core';
import { MASK_LABELS } from '../../domain/label.js';
import { AppError } from '../../lib/errors.js';
import { seededRandom, shuffle } from '../../lib/random.js';
import type { FeatureSet } from '../features/extract-features.js';
import {
  type Calibration,
  calibratedScores,
  fitCalibration,
  meanLogLoss,
  shareWeights,
} from '../metrics/calibration.js';
import { type ClassificationMetrics, classificationMetrics } from '../metrics/classification-metrics.js';
import type { HeadShape, LabelShares, Optimisation } from '../recipes/recipe.js';
import type { EpochFigures } from '../report/epoch-figures.js';
import { FeatureBatches } from './feature-batches.js';
import { type FeatureMap, LOGIT_COUNT, MaskHead } from './mask-head.js';

/** Figures of the validation part are those after calibration; the accuracy in training is not measured. */
export interface EpochReport extends EpochFigures {
  readonly trainingAccuracy: null;
  readonly validationMacroF1: number;
}

export interface TrainHeadOptions {
  readonly map: FeatureMap;
  readonly shape: HeadShape;
  readonly optimisation: Optimisation;
  readonly labelShares: LabelShares;
  /** Told now and then; `done` counts up to {@link mostSteps} unless training stops early. */
  readonly onStep?: (done: number, loss: number) => void;
  readonly onEpoch?: (report: EpochReport) => void;
  readonly signal?: AbortSignal;
}

export interface TrainedHead {
  readonly head: MaskHead;
  readonly epochs: readonly EpochReport[];
  readonly bestEpoch: number;
  /** Of the best epoch, fitted on the validation samples. */
  readonly calibration: Calibration;
  /** After calibration. */
  readonly validation: ClassificationMetrics;
}

/** Steps between two readings of the loss; each one waits for the backend. */
const LOSS_EVERY_STEPS = 20;

/**
 * Trains a head on frozen features: cross-entropy, Adam with decoupled weight decay, half-cosine learning rate,
 * early stopping on the calibrated validation loss (smoother than F1, and blind to a mere shift between the
 * labels, which calibration takes out); the best epoch's weights are kept. The same seed
 * gives the same weights on the same backend. Rejects with the signal's reason when aborted.
 */
export async function trainHead(
  training: FeatureSet,
  validation: FeatureSet,
  options: TrainHeadOptions,
): Promise<TrainedHead> {
  const { optimisation } = options;
  const random = seededRandom(optimisation.seed);
  const head = MaskHead.create(options.map, options.shape, random);
  const optimiser = new ScheduledAdam(optimisation.learningRate);
  const batches = new FeatureBatches(training, sampleWeights(training, optimisation.balance));
  const order = Uint32Array.from(training.samples.keys());
  const totalSteps = mostSteps(training, optimisation);
  const epochs: EpochReport[] = [];
  let best: Best | undefined;
  let step = 0;
  for (let epoch = 1; epoch <= optimisation.maxEpochs; epoch++) {
    shuffle(order, random);
    const startMs = performance.now();
    const losses: number[] = [];
    let learningRate = optimisation.learningRate;
    for (let at = 0; at < order.length; at += optimisation.batchSize, step++) {
      options.signal?.throwIfAborted();
      learningRate = cosineRate(optimisation.learningRate, step / totalSteps);
      optimiser.rate = learningRate;
      const indices = order.subarray(at, at + optimisation.batchSize);
      const batch = batches.take(indices);
      const isRead = step % LOSS_EVERY_STEPS === 0;
      const loss = optimiser.minimize(
        () => weightedLoss(head.logits(batch.features, random.index(2 ** 30)), batch, optimisation),
        isRead,
      );
      batch.dispose();
      decay(head, learningRate * optimisation.weightDecay);
      if (loss) {
        losses.push((await loss.data())[0]!);
        loss.dispose();
        options.onStep?.(step, losses.at(-1)!);
      }
    }
    const judged = judgeValidation(validation, await predictLogits(head, validation), options.labelShares);
    const report: EpochReport = {
      epoch,
      trainingLoss: losses.reduce((a, b) => a + b, 0) / Math.max(1, losses.length),
      trainingAccuracy: null,
      validationLoss: judged.loss,
      validationAccuracy: judged.metrics.accuracy,
      validationMacroF1: judged.metrics.macroF1,
      learningRate,
      seconds: (performance.now() - startMs) / 1000,
    };
    epochs.push(report);
    options.onEpoch?.(report);
    if (!best || judged.loss < best.judged.loss) best = { epoch, judged, weights: head.snapshot() };
    else if (epoch - best.epoch >= optimisation.patienceEpochs) break;
  }
  optimiser.dispose();
  if (!best) throw new AppError('RECIPE_INVALID', 'the recipe trains for no epoch');
  head.restore(best.weights);
  const { calibration, metrics } = best.judged;
  return { head, epochs, bestEpoch: best.epoch, calibration, validation: metrics };
}

interface JudgedValidation {
  readonly calibration: Calibration;
  readonly loss: number;
  readonly metrics: ClassificationMetrics;
}

interface Best {
  readonly epoch: number;
  readonly judged: JudgedValidation;
  readonly weights: ReadonlyMap<string, Float32Array>;
}

function judgeValidation(
  { samples }: FeatureSet,
  logits: readonly number[][],
  shares: LabelShares,
): JudgedValidation {
  const labelled = samples.map(({ labelIndex }) => labelIndex);
  const weights = shareWeights(
    labelled,
    MASK_LABELS.map((label) => shares[label]),
  );
  const calibration = fitCalibration(logits, labelled, weights);
  const judged = logits.map((row) => indexOfHighest(calibratedScores(row, calibration)));
  return {
    calibration,
    loss: meanLogLoss(logits, labelled, calibration, weights),
    metrics: classificationMetrics(labelled.map((label, i) => ({ labelled: label, judged: judged[i]! }))),
  };
}

/** Steps of a training run that does not stop early. */
export function mostSteps({ samples }: FeatureSet, { batchSize, maxEpochs }: Optimisation): number {
  return Math.ceil(samples.length / batchSize) * maxEpochs;
}

/** Logits of all samples, in their order. */
export async function predictLogits(head: MaskHead, set: FeatureSet, batchSize = 256): Promise<number[][]> {
  const batches = new FeatureBatches(set);
  const logits: number[][] = [];
  for (let at = 0; at < set.samples.length; at += batchSize) {
    const count = Math.min(batchSize, set.samples.length - at);
    const batch = batches.take(Uint32Array.from({ length: count }, (_, i) => at + i));
    const output = tf.tidy(() => head.logits(batch.features));
    const values = await output.data();
    batch.dispose();
    output.dispose();
    for (let i = 0; i < count; i++) logits.push([...values.subarray(i * LOGIT_COUNT, (i + 1) * LOGIT_COUNT)]);
  }
  return logits;
}

/** Adam whose learning rate moves. */
class ScheduledAdam extends tf.AdamOptimizer {
  constructor(rate: number) {
    super(rate, 0.9, 0.999, 1e-7);
  }
  set rate(value: number) {
    this.learningRate = value;
  }
}

/** Weight per sample: its own, times (share of the biggest label / share of its label) ^ balance, mean 1. */
function sampleWeights({ samples }: FeatureSet, balance: number): Float32Array {
  const sums = MASK_LABELS.map(() => 0);
  for (const { labelIndex, weight } of samples) sums[labelIndex]! += weight;
  const most = Math.max(...sums);
  const weights = Float32Array.from(
    samples,
    ({ labelIndex, weight }) => weight * (most / sums[labelIndex]!) ** balance,
  );
  const mean = weights.reduce((a, b) => a + b, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}

function weightedLoss(
  logits: tf.Tensor2D,
  { labels, weights }: { labels: tf.Tensor1D; weights: tf.Tensor1D },
  { labelSmoothing }: Optimisation,
): tf.Scalar {
  const oneHot = tf.cast(tf.oneHot(labels, LOGIT_COUNT), 'float32');
  const target = tf.add(tf.mul(oneHot, 1 - labelSmoothing), labelSmoothing / LOGIT_COUNT);
  const losses = tf.neg(tf.sum(tf.mul(target, tf.logSoftmax(logits)), 1));
  return tf.mean(tf.mul(losses, weights)) as tf.Scalar;
}

function decay(head: MaskHead, share: number): void {
  if (share === 0) return;
  for (const [name, weight] of head.weights)
    if (name.endsWith('/kernel')) tf.tidy(() => weight.assign(tf.mul(weight, 1 - share)));
}

function cosineRate(highest: number, progress: number): number {
  const lowest = highest / 100;
  return lowest + (highest - lowest) * 0.5 * (1 + Math.cos(Math.PI * progress));
}

function indexOfHighest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}
