// Fine-tunes YuNet on masked faces and writes the model's folder.
// npx tsx scripts/train-detector.ts --data DATA [--out models/yunet-mask] [--steps N] [--blend SHARE] [--checkpoint FILE] [--cache DIR]
// DATA holds weights/, scenes/, crops/ and paper/ as models/yunet-mask/README.md lists them. A run whose checkpoint is
// found goes on from it.
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { shippedSplit } from '../src/training/dataset/shipped-split.js';
import { publishedYunetPath, readPublishedYunet } from '../src/training/detector/detector-network.js';
import { DETECTOR_RECIPE, runDetectorTraining } from '../src/training/detector/detector-recipe.js';
import { exportModel } from '../src/training/export/export-model.js';
import { yunetOutputs } from './import-weights/yunet-outputs.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string', default: 'models/yunet-mask' },
    steps: { type: 'string', default: String(DETECTOR_RECIPE.schedule.steps) },
    blend: { type: 'string', default: String(DETECTOR_RECIPE.blendShare) },
    checkpoint: { type: 'string' },
    cache: { type: 'string', default: join(tmpdir(), 'maskwatch-training') },
  },
});
if (values.data === undefined) throw new Error('say where the data are: --data DATA');
const { data, out, cache } = values;
const blendShare = Number(values.blend);
await mkdir(cache, { recursive: true });
const say = (line: string) => process.stderr.write(`${line}\n`);
let losses: number[] = [];
const { network, bestStep, bestMerit, counts } = await runDetectorTraining({
  start: await readPublishedYunet(publishedYunetPath(data), basename(out)),
  dataDirs: ['scenes', 'crops', 'paper/train'].map((folder) => join(data, folder)),
  splitFile: shippedSplit(),
  cacheDir: cache,
  checkpointFile: values.checkpoint ?? join(cache, `${basename(out)}.checkpoint`),
  recipe: {
    ...DETECTOR_RECIPE,
    schedule: { ...DETECTOR_RECIPE.schedule, steps: Number(values.steps) },
    blendShare,
  },
  onLine: say,
  onStep: (done, loss) => {
    losses.push(loss);
    if (done % 100 !== 0) return;
    say(
      `${done} of ${values.steps} steps, loss ${(losses.reduce((a, b) => a + b) / losses.length).toFixed(3)}`,
    );
    losses = [];
  },
});
await exportModel(network, {
  modelDir: out,
  manifest: {
    name: basename(out),
    version: '1.1.0',
    task: 'face-detection',
    description: 'YuNet-n, fine-tuned on masked faces; 75 856 parameters, five landmarks.',
    license: 'Apache-2.0',
    origin: [
      'start: models/yunet-n',
      'fine-tuned: npx tsx scripts/train-detector.ts, data named in README.md',
    ],
    training: { ...counts, steps: Number(values.steps), bestStep, bestMerit, blendShare },
  },
  outputs: yunetOutputs(),
  multipleOf: 32,
});
say(`kept step ${bestStep}, merit ${bestMerit.toFixed(4)} → ${out}`);
