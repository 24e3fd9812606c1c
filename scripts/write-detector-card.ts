/**
 * Measures a fine-tuned detector and the one it began from on the validation and the test part of the scenes and
 * writes the card: opens the held-out pictures, so only for a finished detector.
 *
 *   npx tsx scripts/write-detector-card.ts --data DATA [--model models/yunet-mask] [--cache DIR]
 */
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { shippedSplit } from '../src/training/dataset/shipped-split.js';
import { detectorCard } from '../src/training/detector/detector-card.js';
import { measureDetector } from '../src/training/detector/measure-detector.js';
import { detectorSource } from './measure-detector/detector-source.js';

const THRESHOLDS = [0.2, 0.25, 0.3, 0.4, 0.5, 0.6];
const SIZE_PX = 640;
const START = 'models/yunet-n';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    model: { type: 'string', default: 'models/yunet-mask' },
    cache: { type: 'string', default: join(tmpdir(), 'maskwatch-training') },
  },
});
const { data, model, cache } = values;
if (data === undefined) throw new Error('say where the data are: --data DATA');

const reference = await detectorSource(START);
const measure = async (folder: string, part: 'validation' | 'test') => {
  const { figures, falseBoxes, pictures } = await measureDetector({
    dataDirs: [join(data, 'scenes')],
    splitFile: shippedSplit(),
    part,
    detector: await detectorSource(folder),
    reference,
    sizePx: SIZE_PX,
    thresholds: THRESHOLDS,
    cacheDir: cache,
  });
  return { pictures, model: basename(folder), figures, falseBoxes };
};
const parts = [];
for (const [part, title] of [
  ['validation', 'Validation part (the step was chosen on it)'],
  ['test', 'Held-out part (no choice was made on it)'],
] as const) {
  const detectors = [await measure(model, part), await measure(START, part)];
  parts.push({ title, pictures: detectors[0]!.pictures, detectors });
}
const manifest = JSON.parse(await readFile(join(model, 'manifest.json'), 'utf8'));
await writeFile(
  join(model, 'README.md'),
  detectorCard({
    name: manifest.name,
    command: `npx tsx scripts/write-detector-card.ts --data DATA --model ${model}`,
    sizePx: SIZE_PX,
    training: manifest.training,
    parts,
  }),
);
