import { rm } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { AppError } from '../../lib/errors.js';
import { seededRandom } from '../../lib/random.js';
import type { Network } from '../export/network.js';
import { AdamW, type Weights } from '../optimisation/adamw.js';
import { WeightAverage } from '../optimisation/weight-average.js';
import type { FineTuneOptimisation, FineTuneRecipe } from '../recipes/fine-tune-recipe.js';
import { readCheckpoint, writeCheckpoint } from '../report/checkpoint.js';
import type { EpochFigures } from '../report/epoch-figures.js';
import { TrainableNetwork } from '../trainable/trainable-network.js';
import { type Batch, BatchMaker } from './batches.js';
import type { CropReader } from './crop-bank.js';
import type { JudgedValidation } from './judge-validation.js';
import { FACE_LOGIT_NODE, LOGITS_NODE, POOLED_NODE } from './mask-network.js';
import { type Draw, drawEpoch } from './sampler.js';

export interface TrainNetworkOptions {
  readonly recipe: FineTuneRecipe;
  readonly bank: CropReader;
  /** Judges the held-out crops by a network as {@link network} is. */
  readonly judge: (network: Network) => Promise<JudgedValidation>;
  readonly checkpoint: {
    readonly path: string;
    /** Decides whether a checkpoint is of this run: see `runKey`. */
    readonly key: string;
    /** Go on from the checkpoint that is there, if one is; otherwise it is removed. */
    readonly isResumed: boolean;
  };
  readonly onStep?: (done: number, loss: number) => void;
  readonly onEpoch?: (figures: EpochFigures, judged: JudgedValidation) => void;
  readonly signal?: AbortSignal;
}

export interface TrainedNetwork {
  /** With the best epoch's weights. */
  readonly network: Network;
  readonly epochs: readonly EpochFigures[];
  readonly bestEpoch: number;
  readonly judged: JudgedValidation;
  /** The step from which this run went on; 0 when it began anew. */
  readonly resumedAtStep: number;
}

/** What a checkpoint tells beside weights. */
interface RunState {
  readonly step: number;
  readonly epochs: readonly EpochFigures[];
  readonly best: { readonly epoch: number; readonly judged: JudgedValidation } | null;
  readonly lossSum: number;
  readonly right: number;
  readonly labelled: number;
  readonly epochSeconds: number;
}

const FRESH: RunState = {
  step: 0,
  epochs: [],
  best: null,
  lossSum: 0,
  right: 0,
  labelled: 0,
  epochSeconds: 0,
};

/** Steps of a run that does not stop early. */
export function stepsPerRun({ epochSamples, batchSize, maxEpochs }: FineTuneOptimisation): number {
  return stepsPerEpoch({ epochSamples, batchSize }) * maxEpochs;
}

/**
 * Trains the part of `network` above the recipe's frozen node: cross-entropy of the labels (with smoothing) and of
 * `face`, AdamW, warm-up and half cosine, a running average of the weights, which is judged after each epoch; early
 * stopping on the calibrated validation loss. Every draw depends on the seed and the step alone, so a run that went
 * on from a checkpoint ends as one that was never interrupted, on the same backend with as many threads.
 * Throws `AppError` TRAIN_DIVERGED naming the step when the loss is no number, CHECKPOINT_INVALID, CHECKPOINT_OTHER_RUN; rejects with the
 * signal's reason when aborted.
 */
export async function trainNetwork(network: Network, options: TrainNetworkOptions): Promise<TrainedNetwork> {
  const { recipe, bank } = options;
  const { optimisation } = recipe;
  const trainable = new TrainableNetwork(network, recipe.lastFrozenNode);
  const optimiser = new AdamW(trainable.variables, {
    ...optimisation,
    rateFactor: (name) => (isHead(name) ? optimisation.headRateFactor : 1),
  });
  const average = new WeightAverage(trainable.variables, optimisation.averageDecay);
  const batches = await BatchMaker.open(trainable.frozen, bank, recipe);
  try {
    const { path, key, isResumed } = options.checkpoint;
    if (!isResumed) await rm(path, { force: true });
    const kept = await readCheckpoint(path, key);
    let state: RunState = FRESH;
    let bestWeights: Weights = new Map();
    if (kept) {
      state = { ...(kept.state as unknown as RunState), epochs: kept.figures };
      const group = (name: string): Weights =>
        new Map(
          [...kept.tensors].flatMap(([full, { data }]) =>
            full.startsWith(`${name}:`) ? [[full.slice(name.length + 1), data] as const] : [],
          ),
        );
      trainable.restore(group('weights'));
      average.restore(group('average'));
      optimiser.restore({ first: group('first'), second: group('second') });
      bestWeights = group('best');
    }
    const resumedAtStep = state.step;
    const save = () => {
      const { epochs, ...rest } = state;
      const groups = {
        weights: trainable.snapshot(),
        average: average.snapshot(),
        ...optimiser.snapshot(),
        best: bestWeights,
      };
      const tensors = Object.entries(groups).flatMap(([name, weights]) =>
        [...weights].map(([part, data]) => [`${name}:${part}`, { shape: [data.length], data }] as const),
      );
      return writeCheckpoint(path, {
        key,
        epoch: epochs.length,
        figures: epochs,
        // Every draw depends on the seed and the step alone.
        randomStates: {},
        state: rest,
        tensors: new Map(tensors),
      });
    };

    const perEpoch = stepsPerEpoch(optimisation);
    const total = stepsPerRun(optimisation);
    let draws: Draw[] = [];
    let drawnEpoch = 0;
    let startMs = performance.now();
    while (state.step < total && !isOver(state, optimisation)) {
      options.signal?.throwIfAborted();
      const { step } = state;
      const epoch = Math.floor(step / perEpoch) + 1;
      if (drawnEpoch !== epoch) {
        draws = drawEpoch(
          bank.sources,
          recipe.sampling,
          perEpoch * optimisation.batchSize,
          `${optimisation.seed}:${epoch}`,
        );
        drawnEpoch = epoch;
      }
      const from = (step % perEpoch) * optimisation.batchSize;
      const batch = await batches.make(draws.slice(from, from + optimisation.batchSize), step);
      const rate = rateAt(step, total, optimisation);
      const { loss, right } = trainStep(trainable, optimiser, batch, rate, step, optimisation);
      batch.dispose();
      if (!Number.isFinite(loss))
        throw new AppError('TRAIN_DIVERGED', `the loss of step ${step + 1} (epoch ${epoch}) is ${loss}`, {
          hint: 'lower optimisation.learningRate in the recipe, or look for broken pictures',
        });
      average.update(step);
      state = {
        ...state,
        step: step + 1,
        lossSum: state.lossSum + loss,
        right: state.right + right,
        labelled: state.labelled + batch.labelledCount,
      };
      options.onStep?.(state.step, loss);
      if (state.step % perEpoch !== 0) {
        if (state.step % optimisation.checkpointSteps === 0) {
          state = { ...state, epochSeconds: state.epochSeconds + (performance.now() - startMs) / 1000 };
          startMs = performance.now();
          await save();
        }
        continue;
      }
      const weights = average.snapshot();
      const judged = await options.judge(trainable.toNetwork(weights));
      const figures: EpochFigures = {
        epoch,
        trainingLoss: state.lossSum / perEpoch,
        trainingAccuracy: state.right / Math.max(1, state.labelled),
        validationLoss: judged.loss,
        validationAccuracy: judged.labels.accuracy,
        validationMacroF1: judged.labels.macroF1,
        learningRate: rate,
        seconds: state.epochSeconds + (performance.now() - startMs) / 1000,
      };
      startMs = performance.now();
      const isBetter = !state.best || judged.loss < state.best.judged.loss;
      if (isBetter) bestWeights = weights;
      state = {
        ...FRESH,
        step: state.step,
        epochs: [...state.epochs, figures],
        best: isBetter ? { epoch, judged } : state.best,
      };
      await save();
      options.onEpoch?.(figures, judged);
    }
    const { best, epochs } = state;
    if (!best) throw new AppError('RECIPE_INVALID', 'the recipe trains for no epoch');
    return {
      network: trainable.toNetwork(bestWeights),
      epochs,
      bestEpoch: best.epoch,
      judged: best.judged,
      resumedAtStep,
    };
  } finally {
    await batches.close();
    optimiser.dispose();
    average.dispose();
    trainable.dispose();
  }
}

function stepsPerEpoch({
  epochSamples,
  batchSize,
}: Pick<FineTuneOptimisation, 'epochSamples' | 'batchSize'>): number {
  return Math.ceil(epochSamples / batchSize);
}

function isOver({ epochs, best }: RunState, { patienceEpochs }: FineTuneOptimisation): boolean {
  return best !== null && epochs.length - best.epoch >= patienceEpochs;
}

/** Linear rise, then half a cosine down to a hundredth. */
export function rateAt(
  step: number,
  totalSteps: number,
  { learningRate, warmUpSteps }: Pick<FineTuneOptimisation, 'learningRate' | 'warmUpSteps'>,
): number {
  if (step < warmUpSteps) return (learningRate * (step + 1)) / warmUpSteps;
  const lowest = learningRate / 100;
  const progress = (step - warmUpSteps) / Math.max(1, totalSteps - warmUpSteps);
  return lowest + (learningRate - lowest) * 0.5 * (1 + Math.cos(Math.PI * progress));
}

function isHead(name: string): boolean {
  return name.startsWith(`${LOGITS_NODE}/`) || name.startsWith(`${FACE_LOGIT_NODE}/`);
}

function trainStep(
  trainable: TrainableNetwork,
  optimiser: AdamW,
  batch: Batch,
  rate: number,
  step: number,
  { dropout, faceLossWeight, seed }: FineTuneOptimisation,
): { loss: number; right: number } {
  let predicted: Int32Array | undefined;
  const loss = optimiser.minimise(
    () => {
      const outputs = trainable.apply(batch.features, (node, value) =>
        node.name === POOLED_NODE && dropout > 0
          ? tf.mul(value, dropoutMask(value.shape as [number, number], dropout, `${seed}:${step}:dropout`))
          : value,
      );
      const logits = outputs.label_logits as tf.Tensor2D;
      const faceLogits = outputs.face_logits as tf.Tensor2D;
      predicted = tf.argMax(logits, 1).dataSync<'int32'>().slice();
      const labelLoss = tf.neg(tf.sum(tf.mul(batch.labels, tf.logSoftmax(logits))));
      // −log σ(x) = softplus(−x): of a face; softplus(x) of none.
      const faceLoss = tf.sum(tf.sub(tf.softplus(faceLogits), tf.mul(faceLogits, batch.faces)));
      const total = tf.add(
        tf.div(labelLoss, Math.max(1, batch.labelledCount)),
        tf.mul(tf.div(faceLoss, batch.faces.shape[0]), faceLossWeight),
      );
      return total as tf.Scalar;
    },
    rate,
    step,
  );
  const right = batch.labelIndices.filter((label, i) => label >= 0 && predicted![i] === label).length;
  return { loss, right };
}

function dropoutMask([rows, columns]: [number, number], rate: number, seed: string): tf.Tensor2D {
  const random = seededRandom(seed);
  const kept = 1 / (1 - rate);
  const values = Float32Array.from({ length: rows * columns }, () => (random.next() < rate ? 0 : kept));
  return tf.tensor2d(values, [rows, columns]);
}
