import { z } from 'zod';
import { secondLookSchema } from '../../inference/manifest.js';
import { SPLIT_PARTS } from '../dataset/split.js';

const share = z.number().min(0).max(1);
const positive = z.number().positive();
const range = z
  .tuple([positive, positive])
  .refine(([low, high]) => low <= high, 'the lower end stands first')
  .readonly();
const perLabel = <T extends z.ZodType>(value: T) =>
  z.strictObject({ with_mask: value, without_mask: value, mask_worn_incorrectly: value });

/** How one data set is used for training. Held-out parts are used as they are. */
const sourceSchema = z.strictObject({
  /** How often a face is drawn, against one of weight 1, by label; a label that is not named stays out. */
  weights: perLabel(z.number().min(0)).partial(),
  /** The same of a bare face on which a mask is drawn, by the label that this gives. */
  paintedWeights: z
    .strictObject({ with_mask: z.number().min(0), mask_worn_incorrectly: z.number().min(0) })
    .partial()
    .default({}),
  /** Labels that can be trusted enough to choose and calibrate by. */
  validationLabels: z.array(z.enum(['with_mask', 'without_mask', 'mask_worn_incorrectly'])).default([]),
  /** Faces smaller than this (shorter side, pixels) are not drawn. */
  minFacePx: z.number().min(0).default(0),
});

/** Changes that are worked into crops when they are cut, ahead of training. */
const cutSchema = z.strictObject({
  /** Chance of a variant that is cut from the detector's box, without any change. */
  plainChance: share,
  /** Chance that the label's own box is taken where the detector has one too. */
  labelledBoxChance: share,
  jitter: z.strictObject({ shift: z.number().min(0), logScale: z.number().min(0) }),
  degradeChance: share,
  /** Longer side of the face after shrinking, quality of the JPEG coding, greatest blur: see augment/degrade.ts. */
  degrade: z.strictObject({ facePx: range, jpegQuality: range, maxBlurPx: z.number().min(0) }),
  /** Chance and greatest length of a blur along a line, as a share of the crop's side. */
  motionBlur: z.strictObject({ chance: share, maxShare: share }),
  rotation: z.strictObject({ chance: share, maxDegrees: z.number().min(0).max(90) }),
  recolourChance: share,
  recolour: z.strictObject({
    brightness: z.number().min(1),
    gamma: z.number().min(1),
    cast: z.number().min(1),
    greyChance: share,
    maxNoise: z.number().min(0),
  }),
});

/** Cheap changes of every crop each time it is used. */
const liveSchema = z.strictObject({
  flipChance: share,
  /** Chance that a place without a face is turned by quarter turns too: hands and things come any way up. */
  turnFacelessChance: share,
  /** Greatest factor of brightness, of contrast and of one colour channel against the others. */
  brightness: z.number().min(1),
  contrast: z.number().min(1),
  cast: z.number().min(1),
  greyChance: share,
  /** A rectangle of one colour over a part of the crop; side as a share of the crop's. */
  erase: z.strictObject({ chance: share, maxSide: share }),
});

const negativesSchema = z.strictObject({
  /** Places drawn at random in each scene where even a very careless detector sees nothing. */
  backgroundPerScene: z.int().min(0),
  /** Places beside a face (neck, hair, shoulder), per labelled face, at most this many a scene. */
  besideFacePerScene: z.int().min(0),
  /** How often a false box that somebody has looked at is drawn, against one of the others. */
  confirmedWeight: z.number().min(0),
  /** A detection from this score on may be a face: nothing near it is background. */
  carefulScore: share,
});

const optimisationSchema = z.strictObject({
  /** Of the first run and of fresh last layers; further runs count on. */
  seed: z.int(),
  /**
   * So many runs in which chance falls otherwise; the mean of their weights is kept where it is better than the best
   * of them (Wortsman et al., "Model soups", 2022).
   */
  runs: z.int().positive(),
  batchSize: z.int().positive(),
  /** Samples of one epoch; the last batch is filled up. */
  epochSamples: z.int().positive(),
  maxEpochs: z.int().positive(),
  /** AdamW: rises from 0 over the warm-up, then falls along half a cosine to a hundredth at the end. */
  learningRate: positive,
  warmUpSteps: z.int().min(0),
  /** Factor on the rate of the last layers. */
  headRateFactor: positive,
  /** Decoupled weight decay of kernels per step, as a share of the rate (Loshchilov and Hutter, 2019). */
  weightDecay: z.number().min(0),
  /** Gradients longer than this, all together, are shortened to it. */
  maxGradientNorm: positive,
  labelSmoothing: share,
  /** Of the pooled features. */
  dropout: share,
  /** Weight of the loss of the output `face` against that of the labels. */
  faceLossWeight: z.number().min(0),
  /** Decay per step of the running average of the weights, which is what is judged and kept. */
  averageDecay: share,
  /** Epochs without a lower validation loss before it stops. */
  patienceEpochs: z.int().positive(),
  /** A checkpoint every so many steps, and after each epoch. */
  checkpointSteps: z.int().positive(),
});

export const fineTuneRecipeSchema = z.strictObject({
  kind: z.literal('fine-tune'),
  name: z.string().min(1),
  description: z.string().min(1),
  inputPx: z.int().min(32).max(512),
  /** Added around the face box, as a share of its longer side (see crops/extract.ts). */
  marginRatio: z.number().min(0).max(2),
  /**
   * From which lean on a head is turned upright where the model is used and where it is validated, degrees; null: never
   * (see the model's manifest). In training heads lean as they do (`cut.rotation`): landmarks can be wrong, or missing.
   */
  uprightFromDegrees: z.number().min(0).max(180).nullable(),
  /** Below which score a crop is looked at again, and the margin of the wider crop (see the model's manifest). */
  secondLook: secondLookSchema.nullable(),
  /** Margin of the crop that is looked at where it is open whether a box shows a face (see the model's manifest). */
  contextMarginRatio: z.number().gt(0).max(4).nullable(),
  /** The published ImageNet weights with fresh last layers, or a mask classifier that was trained before. */
  startsFrom: z.enum(['backbone', 'model']),
  /** Share of MobileNetV2's channels: the strongest of the published weights are kept; a model to go on from must have it. */
  width: z.number().positive().max(1),
  /** Everything up to and including this node of the backbone stays as it is. */
  lastFrozenNode: z.string().min(1),
  /** By data set (`scenes/ilc`, or the last folder alone); others are used as `otherSources`. */
  sources: z.record(z.string(), sourceSchema),
  otherSources: sourceSchema,
  /** Cut variants of each face, by label; of a face whose label cannot be told; of a place without a face. */
  variants: perLabel(z.int().positive()).extend({
    painted: z.int().positive(),
    unclassified: z.int().positive(),
    not_a_face: z.int().positive(),
  }),
  /** Shares of an epoch, together 1. */
  sampling: perLabel(share).extend({ unclassified: share, not_a_face: share }),
  cut: cutSchema,
  live: liveSchema,
  negatives: negativesSchema,
  split: z.strictObject({
    seed: z.string(),
    validationFraction: share,
    testFraction: share,
    twinMaxDistance: z.int().min(0).max(256),
    fixed: z.record(z.string(), z.enum(SPLIT_PARTS)),
  }),
  optimisation: optimisationSchema,
  /** How often each label is assumed to occur where the model will work; scores are calibrated for that. */
  labelShares: perLabel(share),
});

/** A recipe that trains the upper part of MobileNetV2 on cut crops: everything that decides what comes out. */
export type FineTuneRecipe = Readonly<z.infer<typeof fineTuneRecipeSchema>>;
export type FineTuneSource = Readonly<z.infer<typeof sourceSchema>>;
export type CutAugmentation = FineTuneRecipe['cut'];
export type LiveAugmentation = FineTuneRecipe['live'];
export type FineTuneOptimisation = FineTuneRecipe['optimisation'];
