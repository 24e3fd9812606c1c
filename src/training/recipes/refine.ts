import { type FineTuneRecipe, fineTuneRecipeSchema } from './fine-tune-recipe.js';
import { production } from './production.js';

/**
 * Goes on from a trained mask classifier, gently: after corrections, or with pictures of one's own site. A third of the
 * rate, and last layers that are no longer fresh learn no faster than the rest.
 */
export const refine: FineTuneRecipe = fineTuneRecipeSchema.parse({
  ...production,
  name: 'refine',
  startsFrom: 'model',
  optimisation: {
    ...production.optimisation,
    seed: 20261127,
    maxEpochs: 3,
    learningRate: 1e-4,
    headRateFactor: 1,
  },
});
