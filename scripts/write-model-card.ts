// Writes models/NAME/README.md from training.json and evaluation/*.json: npx tsx scripts/write-model-card.ts NAME [MODELS]
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from '../src/inference/manifest.js';
import { modelsDir } from '../src/lib/package-paths.js';
import { paperCard } from '../src/training/paper/paper-card.js';
import { fineTuneRecipeSchema } from '../src/training/recipes/fine-tune-recipe.js';
import { type CardEvaluation, fineTuneCard } from '../src/training/report/fine-tune-card.js';

const [name = 'mask-mobilenetv2', models = modelsDir()] = process.argv.slice(2);
const modelDir = join(models, name);
const readJson = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
const training = await readJson(join(modelDir, 'training.json'));
const folder = join(modelDir, 'evaluation');
const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.json')).sort();
const evaluations: CardEvaluation[] = [];
for (const file of files) evaluations.push(await readJson(join(folder, file)));
await writeFile(join(modelDir, 'README.md'), await card());

/** A paper model may have reports of other recipes beside its own: training-RECIPE.json. */
async function card(): Promise<string> {
  if (training.kind === 'paper') {
    const reports = (await readdir(modelDir)).filter((file) => /^training-.+\.json$/.test(file)).sort();
    const others = await Promise.all(reports.map((file) => readJson(join(modelDir, file))));
    return paperCard(training, { others, evaluations });
  }
  const { recipe, ...report } = training;
  const manifest = await readManifest(modelDir);
  return fineTuneCard(fineTuneRecipeSchema.parse(recipe), { ...report, model: name }, manifest, evaluations);
}
