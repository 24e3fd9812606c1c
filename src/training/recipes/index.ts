import { AppError } from '../../lib/errors.js';
import { baseline } from './baseline.js';
import type { Recipe } from './recipe.js';

export const RECIPES: readonly Recipe[] = [baseline];

/** Throws `AppError` RECIPE_UNKNOWN (exit code 2) naming those that there are. */
export function findRecipe(name: string): Recipe {
  const recipe = RECIPES.find((candidate) => candidate.name === name);
  if (recipe) return recipe;
  throw new AppError('RECIPE_UNKNOWN', `there is no recipe ${name}`, {
    hint: `recipes: ${RECIPES.map((candidate) => candidate.name).join(', ')}`,
    exitCode: 2,
  });
}
