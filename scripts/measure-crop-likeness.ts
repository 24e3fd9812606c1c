/**
 * Prints how alike the crops of one person are judged, from videos: the intraclass correlation of the log odds of a
 * violation within tracks, among tracks of the same outcome.
 *
 *   npx tsx scripts/measure-crop-likeness.ts VIDEO… [--model ID] [--fps 5] [--json]
 *
 * In the simulation of `evaluate` (alarmBudget) a crop is judged as its person's own with probability L and as any
 * other person's else, so two crops of a person correlate by L²: `--crop-likeness` is the root of what is measured
 * here. Outcomes are the service's own decisions, so a person judged wrongly throughout counts with the others.
 */
import { parseArgs } from 'node:util';
import { modelFolder } from '../src/cli/model-folders.js';
import { configSchema } from '../src/config/schema.js';
import { rollDegrees } from '../src/crops/head-pose.js';
import { scaleBox } from '../src/domain/box.js';
import type { Landmarks } from '../src/domain/face.js';
import { topLabel } from '../src/domain/label.js';
import { InferencePool } from '../src/inference/inference-pool.js';
import { findFfmpeg } from '../src/ingest/ffmpeg-binary.js';
import { modelsDir } from '../src/lib/package-paths.js';
import { detectVideo } from '../src/offline/detect-video.js';

const DETECTOR_PX = 640;
/** Tracks with fewer crops say nothing about likeness. */
const FEWEST_CROPS = 4;
const LOWEST = 1e-4;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'mask-mobilenetv2' },
    fps: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
if (positionals.length === 0) throw new Error('say which videos to measure');
const { detection, classification, tracking } = configSchema.parse({});
const pool = await InferencePool.open({
  workers: 1,
  maxQueue: 8,
  workerOptions: {
    engine: 'auto',
    detectorModelDir: await modelFolder(modelsDir(), detection.model),
    classifierModelDir: await modelFolder(modelsDir(), values.model),
    detectorWidth: DETECTOR_PX,
    detectorHeight: DETECTOR_PX,
    threadsPerWorker: 1,
  },
});
const tracks = new Map<string, { outcome: string; odds: number[] }>();
try {
  for (const path of positionals)
    await detectVideo(path, {
      pool,
      binary: await findFfmpeg(),
      signal: new AbortController().signal,
      rules: {
        rateFps: Number(values.fps),
        ...{ widthPx: DETECTOR_PX, heightPx: DETECTOR_PX, crop: classification },
        tracker: {
          highScore: detection.scoreThreshold,
          lowScore: detection.lowScoreThreshold,
          maxLostMs: tracking.maxLostSeconds * 1000,
        },
        recheckMs: classification.recheckSeconds * 1000,
        minFaceScore: classification.minFaceScore,
      },
      onFrame: async ({ faces, width }, { pixels }) => {
        const scale = pixels.contentWidth / width;
        const seen = faces.filter(
          ({ outcome, trackId }) => outcome !== 'not_assessable' && trackId !== undefined,
        );
        if (seen.length === 0) return;
        const crops = seen.map(({ box, landmarks }) => ({
          pixels,
          box: scaleBox(box, scale),
          rollDegrees: rollDegrees(landmarks.map(([x, y]) => ({ x, y })) as unknown as Landmarks),
        }));
        const judged = await pool.classify(crops);
        if (!judged.ok) throw new Error(judged.error.message);
        seen.forEach(({ trackId, scores }, index) => {
          const key = `${path} ${trackId}`;
          const masked = Math.min(1 - LOWEST, Math.max(LOWEST, judged.scores[index]!.with_mask));
          const track = tracks.get(key) ?? { outcome: '', odds: [] };
          tracks.set(key, track);
          // The last word on the track, after all of its crops.
          track.outcome = topLabel(scores);
          track.odds.push(Math.log((1 - masked) / masked));
        });
      },
    });
} finally {
  await pool.close();
}

const results: Record<string, { tracks: number; crops: number; correlation: number; likeness: number }> = {};
for (const outcome of new Set([...tracks.values()].map((track) => track.outcome))) {
  const groups = [...tracks.values()]
    .filter((track) => track.outcome === outcome && track.odds.length >= FEWEST_CROPS)
    .map(({ odds }) => odds);
  if (groups.length < 2) continue;
  const correlation = intraclassCorrelation(groups);
  results[outcome] = {
    tracks: groups.length,
    crops: groups.flat().length,
    correlation,
    likeness: Math.sqrt(Math.max(0, correlation)),
  };
}
if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
else
  for (const [outcome, { tracks: count, crops, correlation, likeness }] of Object.entries(results))
    process.stdout.write(
      `${outcome}: ${crops} crops of ${count} tracks, correlation ${correlation.toFixed(2)}, crop likeness ${likeness.toFixed(2)}\n`,
    );

/** ICC(1), one-way random effects, groups of unequal size (Shrout and Fleiss, Psychological Bulletin 86, 1979). */
function intraclassCorrelation(groups: readonly (readonly number[])[]): number {
  const all = groups.flat();
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const grand = mean(all);
  const between =
    groups.reduce((sum, group) => sum + group.length * (mean(group) - grand) ** 2, 0) / (groups.length - 1);
  const within =
    groups.reduce((sum, group) => sum + group.reduce((s, x) => s + (x - mean(group)) ** 2, 0), 0) /
    (all.length - groups.length);
  const size =
    (all.length - groups.reduce((sum, group) => sum + group.length ** 2, 0) / all.length) /
    (groups.length - 1);
  return (between - within) / (between + (size - 1) * within);
}
