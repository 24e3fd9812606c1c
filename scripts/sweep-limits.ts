/**
 * Prints what the limits of the assessment are worth, end to end, on the validation part of labelled scenes: the
 * detector's input size and threshold, the smallest face that is judged, the least certainty of a single crop.
 *
 *   npx tsx scripts/sweep-limits.ts --scenes DIR [--model ID] [--detector ID] [--only validation] [--sizes 640,960]
 *     [--cache DIR] [--json]
 *
 * The models run once per picture and size; what they said is kept in the cache folder, so that a second run with
 * the same models and labels takes seconds.
 */
import { createHash } from 'node:crypto';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { namedModelFolder } from '../src/cli/model-folders.js';
import { configSchema } from '../src/config/schema.js';
import { InferencePool } from '../src/inference/inference-pool.js';
import { readManifest } from '../src/inference/manifest.js';
import { contentHashOf } from '../src/training/dataset/fingerprint.js';
import { JsonlCache } from '../src/training/dataset/jsonl-cache.js';
import type { LabelledPicture } from '../src/training/dataset/picture.js';
import { splitFileOf } from '../src/training/dataset/shipped-split.js';
import type { SplitPart } from '../src/training/dataset/split.js';
import { PictureJudge } from '../src/training/evaluation/judge.js';
import { observeAll } from '../src/training/evaluation/observe-all.js';
import type { Observation } from '../src/training/evaluation/observe-picture.js';
import { selectPictures } from '../src/training/evaluation/select-pictures.js';
import { type Limits, printTables, type SweepRow, sizeTable, sweepRow } from './sweep-limits/tables.js';

const SCORES = [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7];
const FACES_PX = [6, 8, 10, 12, 14, 16];
/** Tried when the classifier tells faces from other things. */
const FACE_SCORES = [0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
const CERTAINTIES = [0, 0.45, 0.5, 0.55, 0.6, 0.7];
/** Below the lowest threshold that is tried. */
const LOWEST_SCORE = 0.1;

const { values } = parseArgs({
  options: {
    scenes: { type: 'string' },
    model: { type: 'string', default: 'mask-mobilenetv2' },
    detector: { type: 'string' },
    only: { type: 'string', default: 'validation' },
    split: { type: 'string' },
    sizes: { type: 'string', default: '640,800,960' },
    cache: { type: 'string', default: join(tmpdir(), 'maskwatch-sweep') },
    json: { type: 'boolean', default: false },
  },
});
if (!values.scenes) throw new Error('say where the scenes are: --scenes DIR');

const { detection, classification } = configSchema.parse({});
const classifierModelDir = await namedModelFolder(values.model);
const detectorModelDir = await namedModelFolder(values.detector ?? detection.model);
const { pictures } = await selectPictures({
  kind: 'scenes',
  dataDir: values.scenes,
  only: {
    splitFile: values.split ?? (await splitFileOf(classifierModelDir)),
    part: values.only as SplitPart,
  },
});
const inForce: Limits = {
  sizePx: 640,
  scoreThreshold: detection.scoreThreshold,
  minFacePx: classification.minFacePx,
  minCertainty: 0.6,
  minFaceScore: classification.minFaceScore,
};
const rows: SweepRow[] = [];
for (const sizePx of values.sizes.split(',').map(Number)) {
  const observations = await observe(pictures, sizePx);
  if (!values.json) process.stdout.write(sizeTable(pictures, observations, sizePx, classification));
  const tellsFaces = observations.some(({ detections }) => detections.some(({ faceScore }) => faceScore < 1));
  for (const scoreThreshold of SCORES)
    for (const minFacePx of FACES_PX)
      for (const minCertainty of CERTAINTIES)
        for (const minFaceScore of tellsFaces ? FACE_SCORES : [inForce.minFaceScore])
          rows.push(
            sweepRow(
              pictures,
              observations,
              { sizePx, scoreThreshold, minFacePx, minCertainty, minFaceScore },
              classification,
            ),
          );
}
if (values.json) process.stdout.write(`${JSON.stringify({ pictures: pictures.length, inForce, rows })}\n`);
else process.stdout.write(printTables(rows, inForce));

async function observe(of: readonly LabelledPicture[], sizePx: number): Promise<Observation[]> {
  const hashes = new Map<LabelledPicture, string>();
  for (const picture of of) hashes.set(picture, await keyOf(picture));
  const [detector, classifier] = await Promise.all([
    readManifest(detectorModelDir),
    readManifest(classifierModelDir),
  ]);
  // The whole manifest: it also tells how crops are looked at and how scores are weighed.
  const name = [detector, classifier]
    .map((manifest) => createHash('sha256').update(JSON.stringify(manifest)).digest('hex').slice(0, 12))
    .join('-');
  const cache = await JsonlCache.open<Observation>(resolve(values.cache), `${name}-${sizePx}`);
  const workers = availableParallelism();
  const pool = await InferencePool.open({
    workers,
    maxQueue: 4 * workers,
    workerOptions: {
      engine: 'auto',
      detectorModelDir,
      classifierModelDir,
      detectorWidth: sizePx,
      detectorHeight: sizePx,
      threadsPerWorker: 1,
    },
  });
  try {
    return await observeAll(of, new PictureJudge(pool, LOWEST_SCORE, LOWEST_SCORE), {
      concurrency: workers,
      take: (picture, make) => cache.take(hashes.get(picture)!, make),
    });
  } finally {
    await pool.close();
    await cache.close();
  }
}

/** What an observation depends on beside the models: the picture and its labelled boxes, which corrections change. */
async function keyOf(picture: LabelledPicture): Promise<string> {
  const boxes = picture.kind === 'scene' ? picture.faces.map(({ box }) => box) : [];
  const digest = createHash('sha256').update(JSON.stringify(boxes)).digest('hex').slice(0, 16);
  return `${await contentHashOf(picture.path)}-${digest}`;
}
