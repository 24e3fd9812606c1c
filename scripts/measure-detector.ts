// Recall of a face detector by label and size, its boxes on pictures without a face, and its landmarks against
// those of the published detector on the picture at twice the size.
// npx tsx scripts/measure-detector.ts --data DIR… [--model models/yunet-n] [--part validation] [--size 640]
//   [--threshold 0.3,0.5] [--corrections FILE | --no-corrections] [--cache DIR] [--json]
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeCorrections } from '../src/training/dataset/correct-pictures.js';
import { measureDetector } from '../src/training/detector/measure-detector.js';
import { detectorSource } from './measure-detector/detector-source.js';
import { printFigures } from './measure-detector/print-figures.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string', multiple: true },
    model: { type: 'string', multiple: true, default: ['models/yunet-n'] },
    reference: { type: 'string', default: 'models/yunet-n' },
    split: { type: 'string', default: 'models/data/split.json' },
    part: { type: 'string', default: 'validation' },
    size: { type: 'string', default: '640' },
    threshold: { type: 'string', default: '0.2,0.25,0.3,0.35,0.4,0.45,0.5,0.6,0.7' },
    corrections: { type: 'string' },
    'no-corrections': { type: 'boolean', default: false },
    cache: { type: 'string', default: join(tmpdir(), 'maskwatch-training') },
    json: { type: 'boolean', default: false },
  },
});

const { part } = values;
if (!values.data || (part !== 'train' && part !== 'validation' && part !== 'test')) {
  process.stderr.write('usage: npx tsx scripts/measure-detector.ts --data DIR… [--part validation|test]\n');
  process.exitCode = 2;
} else
  for (const folder of values.model)
    for (const sizePx of values.size.split(',').map(Number)) {
      const { figures, falseBoxes, corrections, pictures } = await measureDetector({
        dataDirs: values.data,
        splitFile: values.split,
        part,
        corrections: values['no-corrections'] ? false : values.corrections,
        detector: await detectorSource(folder),
        reference: await detectorSource(values.reference),
        sizePx,
        thresholds: values.threshold.split(',').map(Number),
        cacheDir: values.cache,
      });
      if (values.json) process.stdout.write(`${JSON.stringify({ folder, sizePx, figures, falseBoxes })}\n`);
      else {
        process.stdout.write(`${folder}, ${sizePx} px, ${pictures} pictures (${part})\n`);
        for (const line of describeCorrections(corrections)) process.stdout.write(`${line}\n`);
        printFigures(figures, falseBoxes);
      }
    }
