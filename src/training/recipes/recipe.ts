import type { MaskLabel } from '../../domain/label.js';
import type { Augmentation } from '../augment/face-variant.js';
import type { PaintedLabel } from '../augment/paint-mask.js';
import type { SplitRules } from '../dataset/split.js';

/** How one data set is used for training. Held-out parts are always used as they are. */
export interface SourceRule {
  /** Changed copies of a face beside the plain one, by label; a label that is not named stays out. */
  readonly copies: Partial<Readonly<Record<MaskLabel, number>>>;
  /** Changed copies of each bare face with a mask drawn on it, by the label that this gives. Default none. */
  readonly painted?: Partial<Readonly<Record<PaintedLabel, number>>>;
  /** Weight of such a copy in the loss. Default 1. */
  readonly paintedWeight?: number;
  /** Labels that can be trusted enough to choose and calibrate by. Default all that `copies` names. */
  readonly validationLabels?: readonly MaskLabel[];
  /** Weight of a sample in the loss. Default 1. */
  readonly weight?: number;
  /** Faces smaller than this (shorter side, pixels) stay out. */
  readonly minFacePx?: number;
}

/** The trainable part, over a map of frozen features (height × width × channels). */
export interface HeadShape {
  /** Channels after a first 1 × 1 convolution (ReLU6). */
  readonly reduceChannels: number;
  /** Channels of a 3 × 3 convolution (ReLU6) after that; 0 leaves it out. */
  readonly convChannels: number;
  /** Units of the dense layer (ReLU) over the flattened map. */
  readonly hiddenUnits: number;
  readonly dropout: number;
}

export interface Optimisation {
  readonly seed: number;
  readonly batchSize: number;
  readonly maxEpochs: number;
  /** Adam; falls along half a cosine to a hundredth over `maxEpochs`. */
  readonly learningRate: number;
  /** Decoupled weight decay per step, as a share of the learning rate (Loshchilov and Hutter, 2019). */
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  /** Epochs without a lower validation loss, calibrated, before it stops. */
  readonly patienceEpochs: number;
  /** 0: labels weigh by their number of samples; 1: all labels weigh the same. */
  readonly balance: number;
}

/** How often each label is assumed to occur where the model will work; scores are calibrated for that. */
export type LabelShares = Readonly<Record<MaskLabel, number>>;

/** Everything that decides what comes out of a training run, as data. */
export interface Recipe {
  readonly kind: 'frozen-head';
  readonly name: string;
  readonly description: string;
  readonly inputPx: number;
  /** Added around the face box, as a share of its longer side (see crops/extract.ts). */
  readonly marginRatio: number;
  /** Nodes of the backbone whose maps are joined; brought to the size of the first by pooling or doubling. */
  readonly featureNodes: readonly [string, ...string[]];
  /** By data set (`scenes/ilc`, or the last folder alone); others are used as `otherSources`. */
  readonly sources: Readonly<Record<string, SourceRule>>;
  readonly otherSources: SourceRule;
  readonly split: SplitRules;
  readonly augmentation: Augmentation;
  readonly head: HeadShape;
  readonly optimisation: Optimisation;
  readonly labelShares: LabelShares;
}

/** The entry for a data set: by its two last folders, or by the last alone. */
export function entryFor<T>(entries: Readonly<Record<string, T>>, dataset: string): T | undefined {
  return entries[dataset] ?? entries[dataset.split('/').at(-1)!];
}
