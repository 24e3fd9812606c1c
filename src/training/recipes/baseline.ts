import type { Recipe } from './recipe.js';

/** A three-label head on the frozen ImageNet MobileNetV2: the first model, quick to train. */
export const baseline: Recipe = {
  kind: 'frozen-head',
  name: 'baseline',
  description:
    'Three-label head on the frozen ImageNet MobileNetV2, trained on crops as the detector delivers them',
  inputPx: 128,
  marginRatio: 0.4,
  featureNodes: ['block_12', 'block_5', 'block_15'],
  sources: {
    'scenes/ilc': {
      copies: { with_mask: 2, without_mask: 2, mask_worn_incorrectly: 14 },
      painted: { with_mask: 1, mask_worn_incorrectly: 3 },
      minFacePx: 10,
    },
    // Does not tell worn incorrectly apart: some of its with_mask faces are wrong, so they count for less.
    'scenes/adityap': {
      copies: { with_mask: 0, without_mask: 2 },
      validationLabels: ['without_mask'],
      weight: 0.7,
      minFacePx: 12,
    },
    'scenes/andrewmvd': { copies: { with_mask: 1, without_mask: 1, mask_worn_incorrectly: 8 } },
    'paper/train': { copies: { with_mask: 2, without_mask: 2 } },
    crops: {
      copies: { with_mask: 1, without_mask: 1 },
      painted: { with_mask: 1, mask_worn_incorrectly: 1 },
      weight: 0.7,
      paintedWeight: 0.7,
    },
    'crops-synthetic': { copies: { with_mask: 2, mask_worn_incorrectly: 4 }, weight: 0.5 },
  },
  otherSources: { copies: { with_mask: 2, without_mask: 2, mask_worn_incorrectly: 4 } },
  split: {
    seed: 'maskwatch-1',
    validationFraction: 0.15,
    testFraction: 0.2,
    twinMaxDistance: 32,
    fixed: { 'paper/validation': 'test', 'paper/train': 'train' },
  },
  augmentation: {
    jitter: { shift: 0.05, logScale: 0.1 },
    degradeChance: 0.6,
    degrade: { facePx: [16, 72], jpegQuality: [35, 90], maxBlurPx: 0.9 },
    recolourChance: 0.6,
    recolour: { brightness: 1.5, gamma: 1.3, cast: 1.12, greyChance: 0.05, maxNoise: 8 },
    maxRotationDegrees: 35,
  },
  head: { reduceChannels: 40, convChannels: 32, hiddenUnits: 64, dropout: 0.3 },
  optimisation: {
    seed: 20261124,
    batchSize: 96,
    maxEpochs: 6,
    learningRate: 1e-3,
    weightDecay: 0.02,
    labelSmoothing: 0.05,
    patienceEpochs: 4,
    balance: 0.25,
  },
  // As in scenes/ilc, the only set with real misuse: 1219 / 981 / 288 faces.
  labelShares: { with_mask: 0.49, without_mask: 0.39, mask_worn_incorrectly: 0.12 },
};
