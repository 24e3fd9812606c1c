import * as tf from '@tensorflow/tfjs-core';
import { type Random, seededRandom, shuffle } from '../../lib/random.js';
import type { Network, WeightTensor } from '../export/network.js';
import { Adam } from '../optimisation/adam.js';
import type { PaperRecipe } from '../recipes/paper.js';
import { readCheckpoint, writeCheckpoint } from '../report/checkpoint.js';
import type { EpochFigures } from '../report/epoch-figures.js';
import { TrainableNetwork } from '../trainable/trainable-network.js';
import { POOLED_NODE, paperNetwork } from './paper-network.js';
import { decayedRate, nextPlateau, nextStop, type PlateauState, type StopState } from './schedule.js';

/** Pooled features, row after row, with the place of each label. */
export interface FeatureRows {
  readonly features: Float32Array;
  readonly labels: readonly number[];
}

export interface PaperRunOptions {
  readonly name: string;
  readonly recipe: PaperRecipe;
  readonly seed: number;
  readonly backbone: Network;
  /** Features of the pictures to train on, changed anew for every epoch. */
  readonly epochFeatures: (epoch: number) => Promise<FeatureRows>;
  /** What the epoch is chosen by. */
  readonly chosenBy: FeatureRows;
  /** Kept after every epoch and gone on from; `key` as of `runKey`. */
  readonly checkpoint?: { readonly path: string; readonly key: string };
  readonly onEpoch?: (figures: EpochFigures) => void;
  readonly signal?: AbortSignal;
}

export interface PaperRun {
  /** With the best epoch's weights. */
  readonly network: Network;
  readonly epochs: readonly EpochFigures[];
  readonly bestEpoch: number;
  readonly stoppedBecause: string;
}

/** Keras's: scores closer to 0 or 1 than this count as this far away in the loss. */
const EPSILON = 1e-7;

/**
 * One training of the paper's head: binary cross-entropy over the softmax, Adam with its decaying rate, where the recipe wants it halved on a
 * plateau, early stopping; the best epoch's weights are taken. The same seed gives the same weights on the same
 * backend, also across an interruption. Rejects with the signal's reason when aborted, after the epoch before it
 * has been kept.
 */
export async function trainPaperRun(options: PaperRunOptions): Promise<PaperRun> {
  const { recipe, chosenBy, signal, checkpoint } = options;
  const { optimisation } = recipe;
  const initial = paperNetwork(
    options.name,
    options.backbone,
    recipe,
    seededRandom(`${options.seed}:weights`),
  );
  const network = new TrainableNetwork(initial, POOLED_NODE);
  const adam = new Adam(network.variables);
  let random = seededRandom(`${options.seed}:training`);
  let plateau: PlateauState = { best: null, wait: 0, rate: optimisation.learningRate };
  let stop: StopState = { best: null, bestEpoch: 0, wait: 0 };
  let best = network.snapshot();
  const epochs: EpochFigures[] = [];
  let isStopped = false;

  const kept = checkpoint ? await readCheckpoint(checkpoint.path, checkpoint.key) : null;
  if (kept) {
    epochs.push(...kept.figures);
    random = seededRandom(kept.randomStates.training!);
    ({ plateau, stop, isStopped } = kept.state as {
      plateau: PlateauState;
      stop: StopState;
      isStopped: boolean;
    });
    network.restore(named(kept.tensors, 'weights/'));
    best = named(kept.tensors, 'best/');
    adam.restore(kept.tensors);
  }

  try {
    for (let epoch = epochs.length + 1; epoch <= optimisation.maxEpochs && !isStopped; epoch++) {
      signal?.throwIfAborted();
      const startMs = performance.now();
      const rows = await options.epochFeatures(epoch);
      const trained = await trainEpoch(network, adam, rows, { recipe, rate: plateau.rate, random });
      const judged = await judgeRows(network, chosenBy);
      const learningRate = decayedRate(plateau.rate, optimisation.decay, adam.steps);
      if (optimisation.plateau) plateau = nextPlateau(plateau, judged.accuracy, optimisation.plateau);
      const next = nextStop(stop, judged.loss, epoch, optimisation.patienceEpochs);
      stop = next.state;
      isStopped = next.isLast;
      if (next.isBest) best = network.snapshot();
      const figures: EpochFigures = {
        epoch,
        trainingLoss: trained.loss,
        trainingAccuracy: trained.accuracy,
        validationLoss: judged.loss,
        validationAccuracy: judged.accuracy,
        learningRate,
        seconds: (performance.now() - startMs) / 1000,
      };
      epochs.push(figures);
      if (checkpoint)
        await writeCheckpoint(checkpoint.path, {
          key: checkpoint.key,
          epoch,
          figures: epochs,
          randomStates: { training: random.state },
          state: { plateau, stop, isStopped },
          tensors: new Map([
            ...prefixed(network, network.snapshot(), 'weights/'),
            ...prefixed(network, best, 'best/'),
            ...adam.tensors(),
          ]),
        });
      options.onEpoch?.(figures);
    }
    return {
      network: network.toNetwork(best),
      epochs,
      bestEpoch: stop.bestEpoch,
      stoppedBecause: isStopped
        ? `no lower validation loss for ${optimisation.patienceEpochs} epochs`
        : `all ${optimisation.maxEpochs} epochs done`,
    };
  } finally {
    adam.dispose();
    network.dispose();
  }
}

async function trainEpoch(
  network: TrainableNetwork,
  adam: Adam,
  { features, labels }: FeatureRows,
  { recipe, rate, random }: { recipe: PaperRecipe; rate: number; random: Random },
): Promise<{ loss: number; accuracy: number }> {
  const { batchSize, decay } = recipe.optimisation;
  const order = shuffle(Uint32Array.from(labels.keys()), random);
  let lossSum = 0;
  let right = 0;
  for (let at = 0; at < order.length; at += batchSize) {
    const batch = takeRows(features, labels, order.subarray(at, at + batchSize), recipe.labels.length);
    const dropoutSeed = random.index(2 ** 30);
    const learningRate = decayedRate(rate, decay, adam.steps);
    const scores: tf.Tensor2D[] = [];
    const loss = adam.minimise(() => {
      const given = network.apply(batch.features, (node, value) =>
        node.name === 'hidden' ? tf.dropout(value, recipe.dropout, undefined, dropoutSeed) : value,
      ).scores as tf.Tensor2D;
      scores.push(tf.keep(tf.clone(given)));
      return crossEntropy(given, batch.targets);
    }, learningRate);
    const count = batch.labels.length;
    lossSum += (await loss.data())[0]! * count;
    right += countRight(await scores[0]!.data<'float32'>(), batch.labels, recipe.labels.length);
    tf.dispose([loss, ...scores, batch.features, batch.targets]);
  }
  return { loss: lossSum / order.length, accuracy: right / order.length };
}

/** Loss and accuracy of the network as it stands, without dropout. */
async function judgeRows(
  network: TrainableNetwork,
  rows: FeatureRows,
): Promise<{ loss: number; accuracy: number }> {
  const order = Uint32Array.from(rows.labels.keys());
  const labelCount = Math.max(...rows.labels) + 1;
  const batch = takeRows(rows.features, rows.labels, order, labelCount);
  const [scores, loss] = tf.tidy(() => {
    const given = network.apply(batch.features).scores as tf.Tensor2D;
    return [given, crossEntropy(given, batch.targets)];
  }) as [tf.Tensor2D, tf.Scalar];
  const values = await scores.data<'float32'>();
  const lossValue = (await loss.data())[0]!;
  tf.dispose([scores, loss, batch.features, batch.targets]);
  return {
    loss: lossValue,
    accuracy: countRight(values, rows.labels, labelCount) / rows.labels.length,
  };
}

/** Keras's binary cross-entropy over all scores of all rows; with two scores that add up to 1, the usual one. */
function crossEntropy(scores: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  const clipped = tf.clipByValue(scores, EPSILON, 1 - EPSILON);
  const hit = tf.mul(targets, tf.log(tf.add(clipped, EPSILON)));
  const missed = tf.mul(tf.sub(1, targets), tf.log(tf.add(tf.sub(1, clipped), EPSILON)));
  return tf.neg(tf.mean(tf.add(hit, missed))) as tf.Scalar;
}

function takeRows(
  features: Float32Array,
  labels: readonly number[],
  indices: Uint32Array,
  labelCount: number,
) {
  const length = features.length / labels.length;
  const values = new Float32Array(indices.length * length);
  const targets = new Float32Array(indices.length * labelCount);
  const taken: number[] = [];
  indices.forEach((index, i) => {
    values.set(features.subarray(index * length, (index + 1) * length), i * length);
    targets[i * labelCount + labels[index]!] = 1;
    taken.push(labels[index]!);
  });
  return {
    features: tf.tensor2d(values, [indices.length, length]),
    targets: tf.tensor2d(targets, [indices.length, labelCount]),
    labels: taken,
  };
}

function countRight(scores: Float32Array, labels: readonly number[], labelCount: number): number {
  return labels.filter((label, i) => {
    const row = scores.subarray(i * labelCount, (i + 1) * labelCount);
    return row.every((value, other) => other === label || value < row[label]!);
  }).length;
}

function prefixed(
  network: TrainableNetwork,
  weights: ReadonlyMap<string, Float32Array>,
  prefix: string,
): [string, WeightTensor][] {
  return [...weights].map(([name, data]) => [
    `${prefix}${name}`,
    { shape: network.variables.get(name)!.shape, data },
  ]);
}

function named(tensors: ReadonlyMap<string, WeightTensor>, prefix: string): Map<string, Float32Array> {
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { data }]) => [name.slice(prefix.length), data]),
  );
}
