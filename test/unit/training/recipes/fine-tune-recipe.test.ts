import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../../src/config/schema.js';
import { modelsDir } from '../../../../src/lib/package-paths.js';
import { fineTuneRecipeSchema } from '../../../../src/training/recipes/fine-tune-recipe.js';
import { production } from '../../../../src/training/recipes/production.js';
import { runKey } from '../../../../src/training/report/checkpoint.js';

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Paths of all keys below `value`; what stands under `sources` is a record of one form. */
function paths(value: Json, above: readonly string[] = []): string[][] {
  return Object.entries(value).flatMap(([key, below]) => [
    [...above, key],
    ...(isObject(below) ? paths(below, [...above, key]) : []),
  ]);
}
function without(value: Json, [key, ...rest]: readonly string[]): Json {
  if (rest.length === 0) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  return { ...value, [key!]: without(value[key!] as Json, rest) };
}

describe('fine-tune recipe', () => {
  const all = paths(production as unknown as Json);
  const isOptional = ([top, ...rest]: readonly string[]) =>
    (top === 'sources' || top === 'otherSources' || (top === 'split' && rest.length === 2)) &&
    rest.length > 0;

  it('knows and needs each of its keys', () => {
    expect(all.length).toBeGreaterThan(80);
    for (const path of all.filter((each) => !isOptional(each)))
      expect(
        fineTuneRecipeSchema.safeParse(without(production as unknown as Json, path)).success,
        path.join('.'),
      ).toBe(false);
  });

  it('decides the run with each of its keys', () => {
    const keys = new Set(all.map((path) => runKey(without(production as unknown as Json, path))));
    expect(keys.size).toBe(all.length);
    expect(keys.has(runKey(production))).toBe(false);
  });

  it('reads the record of the model that ships, from which its card is made', async () => {
    const path = join(modelsDir(), configSchema.parse({}).classification.model, 'training.json');
    const { recipe } = JSON.parse(await readFile(path, 'utf8'));
    expect(fineTuneRecipeSchema.parse(recipe)).toEqual(recipe);
  });

  it.each([
    [{ learningRat: 1e-4 }, 'learningRat'],
    [{ optimisation: { ...production.optimisation, batchSize: 0 } }, 'batchSize'],
    [{ cut: { ...production.cut, degrade: { ...production.cut.degrade, facePx: [72, 10] } } }, 'lower end'],
    [{ sampling: { ...production.sampling, with_mask: 2 } }, 'with_mask'],
  ])('refuses %j', (change, named) => {
    const { error } = fineTuneRecipeSchema.safeParse({ ...production, ...change });
    expect(JSON.stringify(error?.issues)).toContain(named);
  });
});
