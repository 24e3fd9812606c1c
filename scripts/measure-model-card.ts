/**
 * Runs the evaluations that a model's card tells of and keeps them as models/NAME/evaluation/*.json, then writes the
 * card. Opens the held-out pictures: for a finished model, not for choosing one.
 *
 *   npx tsx scripts/measure-model-card.ts NAME --data DATA
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { modelsDir } from '../src/lib/package-paths.js';
import type { EvaluateReport } from '../src/training/evaluation/evaluation-report.js';

interface Measurement {
  readonly file: string;
  readonly title: string;
  /** With DATA for the folder of the data. */
  readonly args: readonly string[];
}

const PORTRAITS: Measurement = {
  file: '3-paper-validation',
  title: "The paper's validation pictures",
  args: ['--crops', 'DATA/paper/validation'],
};
const FINE_TUNED: readonly Measurement[] = [
  {
    file: '1-scenes',
    title: 'Held-out scenes, every labelled face',
    args: ['--scenes', 'DATA/scenes', '--only', 'test'],
  },
  {
    file: '2-scenes-16-px',
    title: 'Held-out scenes, faces of 16 px and more at 640 px width',
    args: ['--scenes', 'DATA/scenes', '--only', 'test', '--min-face-px', '16'],
  },
  PORTRAITS,
  {
    file: '4-crops',
    title: 'Held-out portraits of data/crops',
    args: ['--crops', 'DATA/crops', '--only', 'test'],
  },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: 'string' } },
});
const [name] = positionals;
const { data } = values;
if (name === undefined || data === undefined)
  throw new Error('usage: measure-model-card.ts NAME --data DATA');
const run = promisify(execFile);
const modelDir = join(modelsDir(), name);
const training = JSON.parse(await readFile(join(modelDir, 'training.json'), 'utf8'));
const folder = join(modelDir, 'evaluation');
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
for (const { file, title, args } of training.kind === 'paper' ? [PORTRAITS] : FINE_TUNED) {
  const all = ['evaluate', ...args, '--model', name, '--json'];
  process.stderr.write(`maskwatch ${all.join(' ')}\n`);
  const program = fileURLToPath(new URL('../bin/maskwatch.js', import.meta.url));
  const { stdout } = await run(
    process.execPath,
    [program, ...all.map((argument) => argument.replace(/^DATA\b/, data))],
    { maxBuffer: 2 ** 28 },
  );
  const { reliability, calibration, corrections, ...report } = JSON.parse(stdout) as EvaluateReport;
  const kept = {
    title,
    command: `maskwatch ${all.join(' ')}`,
    report: { ...report, data: args.join(' ') },
  };
  await writeFile(join(folder, `${file}.json`), `${JSON.stringify(kept, null, 1)}\n`);
}
const writer = fileURLToPath(new URL('write-model-card.ts', import.meta.url));
await run(process.execPath, ['--import', 'tsx', writer, name]);
