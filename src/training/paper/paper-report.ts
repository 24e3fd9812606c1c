import { type Interval, wilsonInterval } from '../metrics/bootstrap.js';
import type { ClassificationMetrics } from '../metrics/classification-metrics.js';
import type { PaperRecipe } from '../recipes/paper.js';
import type { EpochFigures } from '../report/epoch-figures.js';
import type { RunFacts } from '../report/run-facts.js';
import type { JudgedPortraits, Mistake } from './judge-portraits.js';

/** Figures on the validation pictures. */
export interface PaperFigures {
  readonly count: number;
  readonly right: number;
  readonly errors: number;
  readonly accuracy: number;
  /** 95 %, Wilson. */
  readonly interval: Interval;
  readonly loss: number;
  readonly ece: number;
  readonly mistakes: readonly Mistake[];
}

/** One seed: as the paper did, and with the epoch chosen on a part of the training pictures. */
export interface PaperSeedReport {
  readonly seed: number;
  readonly epochs: number;
  readonly bestEpoch: number;
  readonly stoppedBecause: string;
  /** In the epochs of both runs, before an interruption too. */
  readonly seconds: number;
  readonly validation: PaperFigures;
  readonly chosenOnHeldOutPart: {
    readonly trainedOn: number;
    readonly chosenOn: number;
    readonly epochs: number;
    readonly bestEpoch: number;
    readonly validation: PaperFigures;
  };
}

/** Over the seeds. */
export interface PaperSummary {
  readonly medianRight: number;
  readonly medianAccuracy: number;
  readonly fewestErrors: number;
  readonly mostErrors: number;
}

/** What `train --recipe paper` tells, and what stands in the model's `training.json`. */
export interface PaperReport {
  readonly kind: 'paper';
  readonly recipe: PaperRecipe;
  readonly model: string;
  readonly command: string;
  readonly data: {
    readonly train: Readonly<Record<string, number>>;
    readonly validation: Readonly<Record<string, number>>;
    /** Training pictures that are near twins of an earlier one. */
    readonly twinsInTrain: number;
    /** Validation pictures that are near twins of a training picture. */
    readonly twinsAcross: readonly string[];
  };
  readonly seeds: readonly PaperSeedReport[];
  readonly asInThePaper: PaperSummary;
  readonly chosenOnHeldOutPart: PaperSummary;
  /** The run whose weights the model has: lowest validation loss. */
  readonly shippedSeed: number;
  readonly epochs: readonly EpochFigures[];
  readonly bestEpoch: number;
  readonly validation: ClassificationMetrics;
  /** The stored weights against those that were trained, on the validation pictures. */
  readonly storedWeights: {
    readonly largestDifference: number;
    readonly otherLabels: number;
  };
  readonly deviations: readonly string[];
  /** In the epochs of all runs. */
  readonly seconds: number;
  readonly facts: RunFacts;
}

export function paperFigures(judged: JudgedPortraits): PaperFigures {
  const { count, right, errors, accuracy, loss, ece, mistakes } = judged;
  return { count, right, errors, accuracy, interval: wilsonInterval(right, count), loss, ece, mistakes };
}

/** With an even number of seeds the median is the lower of the two in the middle. */
export function summarise(figures: readonly PaperFigures[]): PaperSummary {
  const right = figures.map((one) => one.right).sort((a, b) => a - b);
  const medianRight = right[Math.ceil(right.length / 2) - 1]!;
  const { count } = figures[0]!;
  return {
    medianRight,
    medianAccuracy: medianRight / count,
    fewestErrors: count - right.at(-1)!,
    mostErrors: count - right[0]!,
  };
}

const DEVIATIONS: readonly string[] = [
  "The ImageNet weights are Google's 8-bit ones brought back to float32, not Keras's float32 weights; batch norms are folded into the convolutions.",
  'Validation: 305 pictures instead of 306; one (1874.jpg) could not be had. Pictures have a short side of at most 320 px.',
  'Changed pictures are rounded to bytes before they enter the network; Keras keeps fractions.',
  'Pictures are brought to 224 × 224 first and changed then, as Keras does; interpolation of that change is bilinear, the only one that Keras has.',
  "Random numbers are others than NumPy's, so no single run can be repeated, only the method.",
  'The centre of rotation lies between the middle pixels; older versions of Keras put it one pixel off.',
  'Where no epoch stops the training early, the best weights are taken all the same; Keras then kept the last.',
];

/** Where a recipe is not what the paper did, or not surely. */
export function paperDeviations({ optimisation }: PaperRecipe): readonly string[] {
  return optimisation.plateau
    ? DEVIATIONS
    : ['The learning rate is not halved when the validation accuracy rests.', ...DEVIATIONS];
}
