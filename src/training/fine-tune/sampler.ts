import { AppError } from '../../lib/errors.js';
import { seededRandom, shuffle } from '../../lib/random.js';
import type { FineTuneRecipe } from '../recipes/fine-tune-recipe.js';
import { CROP_TARGETS, type CropSource, type CropTarget } from './crop-sources.js';

/** One crop of an epoch: which place, which of its variants. */
export interface Draw {
  readonly sourceIndex: number;
  readonly variant: number;
}

/**
 * The crops of one epoch in the order of training. Targets get the recipe's shares (those of targets that do not
 * occur are spread over the others), and within a target places get theirs by weight: as often as that comes to,
 * rounded by chance. Depends on nothing but its arguments, so a resumed run draws the same.
 */
export function drawEpoch(
  sources: readonly CropSource[],
  shares: FineTuneRecipe['sampling'],
  count: number,
  seed: string,
): Draw[] {
  const random = seededRandom(seed);
  const byTarget = new Map<CropTarget, number[]>(CROP_TARGETS.map((target) => [target, []]));
  for (const [index, { target }] of sources.entries()) byTarget.get(target)!.push(index);
  const present = CROP_TARGETS.filter((target) => byTarget.get(target)!.length > 0 && shares[target] > 0);
  const shareSum = present.reduce((sum, target) => sum + shares[target], 0);
  if (present.length === 0)
    throw new AppError('DATA_TOO_FEW', 'there is nothing to train on', { exitCode: 2 });
  const draws: Draw[] = [];
  for (const target of present) {
    const own = byTarget.get(target)!;
    const weightSum = own.reduce((sum, index) => sum + sources[index]!.weight, 0);
    const quota = (count * shares[target]) / shareSum;
    // Systematic sampling: one running sum over a shuffled order keeps the number exact to one.
    let due = random.next();
    for (const sourceIndex of shuffle([...own], random)) {
      due += (quota * sources[sourceIndex]!.weight) / weightSum;
      for (; due >= 1; due--)
        draws.push({ sourceIndex, variant: random.index(sources[sourceIndex]!.variants) });
    }
  }
  while (draws.length < count) draws.push(draws[random.index(draws.length)]!);
  return shuffle(draws, random).slice(0, count);
}
