/**
 * Trains the recipe `production` shortly at several input sizes and widths and prints what each is worth: F1 given the
 * box by face size on the validation part of the scenes, and time per crop on one thread, in turns.
 *
 *   npx tsx scripts/study-input-size.ts --data DATA --out DIR [--forms 96,128,160,192,224,128x0.75] [--epochs 2]
 *     [--cache DIR] [--json]
 *
 * A form is the side in pixels, and after an x the share of channels kept. Models that DIR holds already are only
 * measured. The test part is not touched.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { stepProgress } from '../src/cli/step-progress.js';
import { configSchema } from '../src/config/schema.js';
import { modelsDir } from '../src/lib/package-paths.js';
import { openEngineFaceFinder } from '../src/training/dataset/engine-face-finder.js';
import { shippedSplit } from '../src/training/dataset/shipped-split.js';
import type { EvaluateReport } from '../src/training/evaluation/evaluation-report.js';
import { runFineTune } from '../src/training/fine-tune/run-fine-tune.js';
import { production } from '../src/training/recipes/production.js';
import { type StudiedForm, studyTable } from './study-input-size/table.js';
import { timeInTurns } from './study-input-size/time-in-turns.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    forms: { type: 'string', default: '96,128,160,192,224,128x0.75' },
    epochs: { type: 'string', default: '2' },
    cache: { type: 'string', default: join(tmpdir(), 'maskwatch-training') },
    json: { type: 'boolean', default: false },
  },
});
if (values.data === undefined || values.out === undefined)
  throw new Error('say where the data are and where the models go: --data DATA --out DIR');
const data = resolve(values.data);
const forms = values.forms.split(',').map((form) => {
  const [inputPx = 0, width = 1] = form.split('x').map(Number);
  return { inputPx, width, folder: join(resolve(values.out!), `mask-${inputPx}-${width}`) };
});

const FEW_VARIANTS = {
  with_mask: 1,
  without_mask: 1,
  mask_worn_incorrectly: 8,
  unclassified: 1,
  not_a_face: 1,
};

for (const { inputPx, width, folder } of forms) {
  if (existsSync(join(folder, 'training.json'))) continue;
  const finder = await openEngineFaceFinder({
    modelDir: join(modelsDir(), configSchema.parse({}).detection.model),
    sizePx: 640,
    scoreThreshold: production.negatives.carefulScore,
  });
  try {
    await runFineTune(
      {
        ...production,
        ...{ inputPx, width },
        // In so few epochs hardly a crop is drawn twice.
        variants: { ...production.variants, ...FEW_VARIANTS },
        optimisation: { ...production.optimisation, runs: 1, maxEpochs: Number(values.epochs) },
      },
      {
        dataDirs: ['paper', 'scenes', 'crops', 'crops-synthetic'].map((name) => join(data, name)),
        outDir: folder,
        finder,
        backboneDir: join(modelsDir(), 'imagenet-mobilenetv2'),
        splitFile: shippedSplit(),
        cacheDir: values.cache,
        progress: stepProgress(),
      },
    );
  } finally {
    await finder.close();
  }
}

const times = await timeInTurns(forms);
const studied: StudiedForm[] = [];
for (const [index, form] of forms.entries()) {
  const training = JSON.parse(await readFile(join(form.folder, 'training.json'), 'utf8'));
  const report = await evaluate(form.folder);
  studied.push({ ...form, epochs: training.epochs.length, report, ...times[index]! });
}
process.stdout.write(values.json ? `${JSON.stringify(studied)}\n` : studyTable(studied));

/** In a process of its own: the engine that trains and the one that judges do not share memory then. */
async function evaluate(folder: string): Promise<EvaluateReport> {
  const program = fileURLToPath(new URL('../bin/maskwatch.js', import.meta.url));
  const args = ['evaluate', '--scenes', join(data, 'scenes'), '--only', 'validation', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args, '--model', folder], {
    maxBuffer: 2 ** 28,
  });
  return JSON.parse(stdout) as EvaluateReport;
}
