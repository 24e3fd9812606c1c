/**
 * Takes the clips along the service's own path (tracking, decisions) and holds what it says against a truth made by hand:
 * decisions per person that are right, wrong or never taken, and labels told where there is nobody.
 *
 *   npx tsx scripts/measure-clips.ts --data DIR [--model ID] [--detector ID] [--fps 5] [--width 640 --height 640]
 *     [--clip NAME…] [--truth FILE] [--engine auto] [--json]
 *
 * DIR is the data folder; its clips/ is used. --model and --detector take a folder of models/ or a path with a slash.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { namedModelFolder } from '../src/cli/model-folders.js';
import { configSchema } from '../src/config/schema.js';
import { InferencePool } from '../src/inference/inference-pool.js';
import { findFfmpeg } from '../src/ingest/ffmpeg-binary.js';
import { AppError } from '../src/lib/errors.js';
import { detectVideo } from '../src/offline/detect-video.js';
import { type ClipTruth, readClipsTruth, shippedClipsTruth } from '../src/training/clips/clip-truth.js';
import { type ClipFrame, judgeClip } from '../src/training/clips/judge-clip.js';
import { contentHashOf } from '../src/training/dataset/fingerprint.js';
import { type MeasuredClip, printClips, totals } from './measure-clips/print-clips.js';

const config = configSchema.parse({});
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    model: { type: 'string', default: config.classification.model },
    detector: { type: 'string', default: config.detection.model },
    truth: { type: 'string', default: shippedClipsTruth() },
    clip: { type: 'string', multiple: true },
    fps: { type: 'string', default: String(config.analysis.rateFps) },
    width: { type: 'string', default: '640' },
    height: { type: 'string', default: '640' },
    engine: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
  },
});
const { engine } = values;
if (!values.data || (engine !== 'auto' && engine !== 'onnxruntime' && engine !== 'tfjs')) {
  process.stderr.write(
    'usage: npx tsx scripts/measure-clips.ts --data DIR [--model ID] [--detector ID] [--json]\n',
  );
  process.exitCode = 2;
} else await measure(values.data, engine);

async function measure(dataDir: string, engineName: 'auto' | 'onnxruntime' | 'tfjs'): Promise<void> {
  const { clips } = await readClipsTruth(values.truth);
  const wanted = clips.filter(({ file }) => values.clip === undefined || values.clip.includes(file));
  const pool = await InferencePool.open({
    workers: 1,
    maxQueue: 64,
    measureBatchSizes: [],
    workerOptions: {
      engine: engineName,
      detectorModelDir: await namedModelFolder(values.detector),
      classifierModelDir: await namedModelFolder(values.model),
      detectorWidth: Number(values.width),
      detectorHeight: Number(values.height),
      threadsPerWorker: 1,
    },
  });
  try {
    const measured: MeasuredClip[] = [];
    for (const truth of wanted)
      measured.push(await measureClip(truth, join(dataDir, 'clips', truth.file), pool));
    const { model, detector } = values;
    if (values.json)
      process.stdout.write(`${JSON.stringify({ model, detector, ...totals(measured), clips: measured })}\n`);
    else printClips(measured, { model, detector });
  } finally {
    await pool.close();
  }
}

async function measureClip(truth: ClipTruth, path: string, pool: InferencePool): Promise<MeasuredClip> {
  if ((await contentHashOf(path)) !== truth.hash)
    throw new AppError('DATA_INVALID', `${path} is another clip than the truth was made for`, { path });
  const frames: ClipFrame[] = [];
  const { detection, tracking, classification } = config;
  await detectVideo(path, {
    pool,
    binary: await findFfmpeg(),
    signal: new AbortController().signal,
    rules: {
      rateFps: Number(values.fps),
      ...{ widthPx: Number(values.width), heightPx: Number(values.height), crop: classification },
      tracker: {
        highScore: detection.scoreThreshold,
        lowScore: detection.lowScoreThreshold,
        maxLostMs: tracking.maxLostSeconds * 1000,
      },
      recheckMs: classification.recheckSeconds * 1000,
      minFaceScore: classification.minFaceScore,
    },
    onFrame: async ({ timeMs, faces }) => {
      frames.push({ timeMs, faces });
    },
  });
  return { file: truth.file, frames: frames.length, ...judgeClip(truth, frames, config.policy.labels) };
}
