import { AppError } from '../../lib/errors.js';
import { baseline } from './baseline.js';
import type { FineTuneRecipe } from './fine-tune-recipe.js';
import { type PaperRecipe, paper, paperLetter } from './paper.js';
import { production } from './production.js';
import type { Recipe } from './recipe.js';
import { refine } from './refine.js';

/** Every recipe; `kind` tells how it is trained. */
export type AnyRecipe = Recipe | FineTuneRecipe | PaperRecipe;

export const RECIPES: readonly AnyRecipe[] = [baseline, paper, paperLetter, production, refine];

/** Throws `AppError` RECIPE_UNKNOWN (exit code 2) naming those that there are. */
export function findRecipe(name: string): AnyRecipe {
  const recipe = RECIPES.find((candidate) => candidate.name === name);
  if (recipe) return recipe;
  throw new AppError('RECIPE_UNKNOWN', `there is no recipe ${name}`, {
    hint: `recipes: ${RECIPES.map((candidate) => candidate.name).join(', ')}`,
    exitCode: 2,
  });
}
