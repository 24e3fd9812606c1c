import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { fromLogOdds } from '../../lib/log-odds.js';
import { type Random, seededRandom } from '../../lib/random.js';
import type { Network, WeightTensor } from '../export/network.js';
import { writeOnnx } from '../export/onnx-writer.js';
import { AdamW, type Weights } from '../optimisation/adamw.js';
import { WeightAverage } from '../optimisation/weight-average.js';
import { readCheckpoint, runKey, writeCheckpoint } from '../report/checkpoint.js';
import { TrainableNetwork } from '../trainable/trainable-network.js';
import { type Assignment, assignCells, type CellGrid, cellGrid } from './assign-cells.js';
import { portraitSample, type SampleRules, sceneSample } from './compose-sample.js';
import {
  type CellTensors,
  cellTargets,
  detectionLoss,
  LOSS_WEIGHTS,
  type LossWeights,
} from './detection-loss.js';
import { withLogits } from './detector-network.js';
import { OUTPUT_CHANNELS, type OutputKind, STRIDES } from './detector-session.js';
import type { TeachingPictures } from './teaching-pictures.js';
import type { TrainingCanvas } from './training-canvas.js';

export interface DetectorSchedule {
  readonly seed: number;
  /** Node below which everything stays as it was. */
  readonly trainFrom: string;
  readonly batchSize: number;
  readonly steps: number;
  readonly warmUpSteps: number;
  /** AdamW; falls along half a cosine to a fiftieth. */
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly maxGradientNorm: number;
  /** Of the running average of the weights, which is what is kept. */
  readonly averageDecay: number;
  readonly validateEverySteps: number;
  /** Share of samples that are made of pictures of one person. */
  readonly portraitChance: number;
  /** Background that is known to look like a face weighs this much more. */
  readonly hardNegativeWeight: number;
  readonly loss: LossWeights;
}

export const DETECTOR_SCHEDULE: DetectorSchedule = {
  seed: 5,
  trainFrom: 'maxpool_216',
  batchSize: 8,
  steps: 4500,
  warmUpSteps: 200,
  learningRate: 4e-4,
  weightDecay: 1e-4,
  maxGradientNorm: 10,
  averageDecay: 0.998,
  validateEverySteps: 500,
  portraitChance: 0.15,
  hardNegativeWeight: 3,
  loss: LOSS_WEIGHTS,
};

export interface TrainDetectorOptions {
  readonly start: Network;
  readonly scenes: TeachingPictures;
  readonly portraits: TeachingPictures;
  readonly samples: SampleRules;
  readonly schedule: DetectorSchedule;
  /** Merit of a network, higher is better; the best one is returned. */
  readonly validate: (network: Network, step: number) => Promise<number>;
  /** File in which the run is kept after each validation; a run found there goes on. */
  readonly checkpointFile?: string;
  /** Whatever else decides the run, beside schedule and samples: a checkpoint of other data does not go on. */
  readonly dataKey: string;
  readonly onStep?: (done: number, loss: number) => void;
  readonly signal?: AbortSignal;
}

interface State {
  readonly step: number;
  readonly bestMerit: number;
  readonly bestStep: number;
}

/** Fine-tunes a detector of YuNet's form. Rejects with the signal's reason when aborted. */
export async function trainDetector(options: TrainDetectorOptions): Promise<{
  readonly network: Network;
  readonly bestStep: number;
  readonly bestMerit: number;
}> {
  const { start, samples, schedule, checkpointFile } = options;
  const trainable = new TrainableNetwork(withLogits(start), schedule.trainFrom);
  const frozen = await InferenceSession.create(writeOnnx(trainable.frozen), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const optimiser = new AdamW(trainable.variables, schedule);
  const average = new WeightAverage(trainable.variables, schedule.averageDecay);
  const networkOf = (weights: ReadonlyMap<string, Float32Array>): Network => ({
    ...trainable.toNetwork(weights),
    outputs: start.outputs,
  });
  try {
    let state: State = { step: 0, bestMerit: Number.NEGATIVE_INFINITY, bestStep: 0 };
    let best = trainable.snapshot();
    const key = runKey(samples, schedule, options.dataKey);
    const earlier = checkpointFile === undefined ? null : await readCheckpoint(checkpointFile, key);
    if (earlier) {
      const group = (name: string) => groupOf(earlier.tensors, name);
      state = earlier.state as unknown as State;
      best = group('best');
      trainable.restore(group('present'));
      average.restore(group('average'));
      optimiser.restore({ first: group('first'), second: group('second') });
    }
    const grid = cellGrid(samples.sizePx);
    const draw = sceneDrawer(options.scenes);
    for (let { step } = state; step < schedule.steps; step++) {
      options.signal?.throwIfAborted();
      const random = seededRandom(`${schedule.seed}:${step}`);
      const batch = await composeBatch(options, draw, random);
      const features = await runFrozen(frozen, batch, samples.sizePx);
      const loss = tf.tidy(() => {
        const input = tf.tensor(features.data, [...features.dims]);
        return optimiser.minimise(
          () => batchLoss(trainable, input, batch, grid, schedule),
          rateAt(step, schedule),
          step,
        );
      });
      average.update(step);
      options.onStep?.(step + 1, loss);
      if ((step + 1) % schedule.validateEverySteps !== 0 && step + 1 !== schedule.steps) continue;
      const weights = average.snapshot();
      const merit = await options.validate(networkOf(weights), step + 1);
      const isBetter = merit > state.bestMerit;
      if (isBetter) best = weights;
      state = {
        step: step + 1,
        bestMerit: isBetter ? merit : state.bestMerit,
        bestStep: isBetter ? step + 1 : state.bestStep,
      };
      if (checkpointFile !== undefined)
        await writeCheckpoint(checkpointFile, {
          key,
          epoch: 0,
          figures: [],
          randomStates: {},
          state: { ...state },
          tensors: joinGroups({
            present: trainable.snapshot(),
            average: weights,
            best,
            ...optimiser.snapshot(),
          }),
        });
    }
    return { network: networkOf(best), bestStep: state.bestStep, bestMerit: state.bestMerit };
  } finally {
    await frozen.release();
    trainable.dispose();
    optimiser.dispose();
    average.dispose();
  }
}

function joinGroups(groups: Readonly<Record<string, Weights>>): Map<string, WeightTensor> {
  return new Map(
    Object.entries(groups).flatMap(([group, weights]) =>
      [...weights].map(([name, data]) => [`${group}:${name}`, { shape: [data.length], data }] as const),
    ),
  );
}

function groupOf(tensors: ReadonlyMap<string, WeightTensor>, group: string): Map<string, Float32Array> {
  const prefix = `${group}:`;
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { data }]) => [name.slice(prefix.length), data]),
  );
}

/** Linear warm-up, then half a cosine down to a fiftieth. */
export function rateAt(step: number, { learningRate, warmUpSteps, steps }: DetectorSchedule): number {
  if (step < warmUpSteps) return (learningRate * (step + 1)) / warmUpSteps;
  const share = (step - warmUpSteps) / Math.max(1, steps - warmUpSteps);
  return learningRate * (0.02 + 0.98 * 0.5 * (1 + Math.cos(Math.PI * share)));
}

/** Scenes with many faces come more often, but not as often as they have faces. */
function sceneDrawer(scenes: TeachingPictures): (random: Random) => number {
  const ends: number[] = [];
  let total = 0;
  for (let index = 0; index < scenes.count; index++) {
    const { faces, hardNegatives } = scenes.targets(index);
    total += Math.sqrt(1 + faces.length + 0.5 * hardNegatives.length);
    ends.push(total);
  }
  return (random) => {
    const wanted = random.next() * total;
    const index = ends.findIndex((end) => end > wanted);
    return index === -1 ? scenes.count - 1 : index;
  };
}

async function composeBatch(
  { scenes, portraits, samples, schedule }: TrainDetectorOptions,
  draw: (random: Random) => number,
  random: Random,
): Promise<TrainingCanvas[]> {
  const batch: TrainingCanvas[] = [];
  for (let i = 0; i < schedule.batchSize; i++) {
    if (portraits.count > 0 && (random.chance(schedule.portraitChance) || scenes.count === 0)) {
      const one = () => portraits.take(random.index(portraits.count));
      batch.push(await portraitSample([await one(), await one(), await one(), await one()], samples, random));
    } else batch.push(await sceneSample(await scenes.take(draw(random)), samples, random));
  }
  return batch;
}

async function runFrozen(
  session: InferenceSession,
  batch: readonly TrainingCanvas[],
  sizePx: number,
): Promise<{ data: Float32Array; dims: readonly number[] }> {
  const length = sizePx * sizePx * 3;
  const pixels = new Uint8Array(batch.length * length);
  batch.forEach(({ picture }, index) => {
    pixels.set(picture.data, index * length);
  });
  const { features } = await session.run({
    pixels: new Tensor('uint8', pixels, [batch.length, sizePx, sizePx, 3]),
  });
  return { data: features!.data as Float32Array, dims: features!.dims };
}

/** Assigns cells by what the network says now, and gives the loss of the batch. For use in a gradient scope. */
export function batchLoss(
  trainable: TrainableNetwork,
  features: tf.Tensor,
  batch: readonly Pick<TrainingCanvas, 'faces' | 'ignored' | 'hardNegatives'>[],
  grid: CellGrid,
  schedule: Pick<DetectorSchedule, 'hardNegativeWeight' | 'loss'>,
): tf.Scalar {
  const cells = joinLevels(trainable.apply(features), batch.length);
  const cls = cells.cls.dataSync<'float32'>();
  const obj = cells.obj.dataSync<'float32'>();
  const boxes = cells.bbox.dataSync<'float32'>();
  const assignments: Assignment[] = [];
  const scores: Float32Array[] = [];
  batch.forEach(({ faces, ignored }, index) => {
    const first = index * grid.count;
    const score = Float32Array.from({ length: grid.count }, (_, cell) =>
      Math.sqrt(fromLogOdds(cls[first + cell]!) * fromLogOdds(obj[first + cell]!)),
    );
    scores.push(score);
    const box = boxes.subarray(first * 4, (first + grid.count) * 4);
    assignments.push(assignCells(grid, faces, ignored, { score, box }));
  });
  const targets = cellTargets(grid, batch, assignments, scores, schedule.hardNegativeWeight);
  return detectionLoss(cells, targets, schedule.loss);
}

/** Outputs of the three strides, batch × rows × columns × channels each, as batch · cells × channels. */
function joinLevels(outputs: Readonly<Record<string, tf.Tensor>>, batch: number): CellTensors {
  const join = (kind: OutputKind) => {
    const channels = OUTPUT_CHANNELS[kind];
    const levels = STRIDES.map((stride) => tf.reshape(outputs[`${kind}_${stride}`]!, [batch, -1, channels]));
    return tf.reshape(tf.concat(levels, 1), [-1, channels]) as tf.Tensor2D;
  };
  return { cls: join('cls'), obj: join('obj'), bbox: join('bbox'), kps: join('kps') };
}
