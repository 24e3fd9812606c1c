import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readManifest } from '../../../../src/inference/manifest.js';
import { modelsDir } from '../../../../src/lib/package-paths.js';
import { fineTuneRecipeSchema } from '../../../../src/training/recipes/fine-tune-recipe.js';
import { fineTuneCard } from '../../../../src/training/report/fine-tune-card.js';

const modelDir = join(modelsDir(), 'mask-mobilenetv2');
const readJson = async (...path: string[]) => JSON.parse(await readFile(join(modelDir, ...path), 'utf8'));

describe('fineTuneCard', () => {
  it('is the page beside the model that ships, so that no figure in it was written by hand', async () => {
    const { recipe, ...report } = await readJson('training.json');
    const manifest = await readManifest(modelDir);
    const files = (await readdir(join(modelDir, 'evaluation'))).sort();
    const evaluations = await Promise.all(files.map((file) => readJson('evaluation', file)));
    const card = (changes: object) =>
      fineTuneCard(fineTuneRecipeSchema.parse(recipe), { ...report, ...changes }, manifest, evaluations);
    expect(card({})).toBe(await readFile(join(modelDir, 'README.md'), 'utf8'));
    expect(card({ startedFrom: 'other 9.8.7' })).toContain('of other 9.8.7, batch norms folded');
  });

  it('tells what the service does around the network only where it does it', async () => {
    const { recipe, ...report } = await readJson('training.json');
    const { crop, faceWeights } = await readManifest(modelDir);
    const card = (changes: Partial<{ contextMarginRatio: undefined }>) =>
      fineTuneCard(
        fineTuneRecipeSchema.parse(recipe),
        report,
        { crop: { ...crop!, ...changes }, faceWeights },
        [],
      );
    const around = `at the box with a margin of ${Math.round(crop!.contextMarginRatio! * 100)} %`;
    expect(card({})).toContain(around);
    expect(card({ contextMarginRatio: undefined })).not.toContain(around);
  });
});
