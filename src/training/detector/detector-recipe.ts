import { createHash } from 'node:crypto';
import { readRgbPicture } from '../dataset/rgb-picture.js';
import { blendNetworks } from '../export/blend-networks.js';
import type { Network } from '../export/network.js';
import { writeOnnx } from '../export/onnx-writer.js';
import { startNativeTensorFlow } from '../head/tensorflow.js';
import { runKey } from '../report/checkpoint.js';
import { SAMPLE_RULES, type SampleRules } from './compose-sample.js';
import { type DetectedScene, type DetectionFigures, detectionFigures } from './detection-figures.js';
import { DetectorSession } from './detector-session.js';
import { loadPictures, type PartedPicture } from './load-pictures.js';
import type { DetectorSource } from './measure-detector.js';
import { TeachingPictures, teach } from './teaching-pictures.js';
import { DETECTOR_SCHEDULE, type DetectorSchedule, trainDetector } from './train-detector.js';

export interface DetectorRecipe {
  readonly samples: SampleRules;
  readonly schedule: DetectorSchedule;
  /**
   * How far the kept weights go from the start's to the best step's: on the way the detector keeps more of what it
   * knew (weight-space ensembles, Wortsman et al., "Robust fine-tuning of zero-shot models", 2022).
   */
  readonly blendShare: number;
}
export const DETECTOR_RECIPE: DetectorRecipe = {
  samples: SAMPLE_RULES,
  schedule: DETECTOR_SCHEDULE,
  // Of 0.3, 0.5, 0.7 and 1 on the validation part; see "Blend" in docs/training.md.
  blendShare: 0.7,
};

export interface DetectorTrainingOptions {
  readonly start: Network;
  readonly dataDirs: readonly string[];
  readonly splitFile: string;
  readonly corrections?: string | false | undefined;
  readonly cacheDir: string;
  readonly checkpointFile?: string;
  readonly recipe?: DetectorRecipe;
  readonly onLine?: (line: string) => void;
  readonly onStep?: (done: number, loss: number) => void;
  readonly signal?: AbortSignal;
}

/** Decoded pictures kept in memory. */
const KEPT_BYTES = 3 * 2 ** 30;
/**
 * Merit is the share of faces found at the score that leaves this many boxes per 100 pictures on no known face. More
 * than would be told: the classifier turns most of them away.
 */
const MERIT_EXTRA_PER_100 = [25, 100] as const;
const MERIT_SCORES = Array.from({ length: 18 }, (_, i) => 0.08 + i * 0.05);

/** Fine-tunes a detector on labelled pictures; the validation part chooses the step. The result is blended. */
export async function runDetectorTraining(options: DetectorTrainingOptions): Promise<{
  readonly network: Network;
  readonly bestStep: number;
  readonly bestMerit: number;
  readonly counts: Readonly<Record<string, number>>;
}> {
  const { start, cacheDir, recipe = DETECTOR_RECIPE } = options;
  const { pictures } = await loadPictures(options);
  const teacher = sourceOf(start);
  const inTraining = pictures.filter(({ part }) => part === 'train');
  const taught = await teach(inTraining, teacher, cacheDir);
  const faces = [...taught.scenes, ...taught.portraits].flatMap(({ targets }) => targets.faces);
  const counts = {
    scenes: taught.scenes.length,
    portraits: taught.portraits.length,
    labelledFaces: faces.filter(({ label }) => label !== null).length,
    unlabelledFaces: faces.filter(({ label }) => label === null).length,
    hardNegatives: taught.scenes.reduce((sum, { targets }) => sum + targets.hardNegatives.length, 0),
  };
  options.onLine?.(JSON.stringify(counts));
  const held = pictures.filter(({ part, picture }) => part === 'validation' && picture.kind === 'scene');
  await startNativeTensorFlow({ threads: 1 });
  const result = await trainDetector({
    start,
    scenes: new TeachingPictures(taught.scenes, KEPT_BYTES),
    portraits: new TeachingPictures(taught.portraits, KEPT_BYTES / 2),
    samples: recipe.samples,
    schedule: recipe.schedule,
    ...(options.checkpointFile === undefined ? {} : { checkpointFile: options.checkpointFile }),
    dataKey: runKey(teacher.id, taught),
    ...(options.onStep ? { onStep: options.onStep } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
    validate: async (network, step) => {
      const figures = await validationFigures(network, held);
      const merit = meritOf(figures);
      options.onLine?.(`step ${step}: merit ${merit.toFixed(4)}; ${describe(figures)}`);
      return merit;
    },
  });
  return { ...result, network: blendNetworks(start, result.network, recipe.blendShare), counts };
}

/** A network as a source of detections; its name changes with its weights. */
export function sourceOf(network: Network): DetectorSource {
  const id = createHash('sha256').update(writeOnnx(network)).digest('hex').slice(0, 16);
  let session: Promise<DetectorSession> | undefined;
  return { id, open: () => (session ??= DetectorSession.open(network)) };
}

async function validationFigures(
  network: Network,
  pictures: readonly PartedPicture[],
): Promise<DetectionFigures[]> {
  const session = await DetectorSession.open(network);
  const scenes: DetectedScene[] = [];
  try {
    for (const { picture } of pictures) {
      if (picture.kind !== 'scene') continue;
      const faces = await session.find(await readRgbPicture(picture.path), 640, MERIT_SCORES[0]!);
      scenes.push({ scene: picture, faces, reference: [] });
    }
  } finally {
    await session.close();
  }
  return MERIT_SCORES.map((score) => detectionFigures(scenes, score));
}

/** Mean over the labels and over the allowed numbers of extra boxes of the share of faces found. */
export function meritOf(figures: readonly DetectionFigures[]): number {
  const merits = MERIT_EXTRA_PER_100.map((allowed) => {
    const first = figures.find(({ extraPer100 }) => extraPer100 <= allowed);
    if (!first) return 0;
    const { with_mask: masked, without_mask: bare } = first.byLabel;
    const share = ({ found, of }: typeof masked) => found / Math.max(1, of);
    return (2 * share(masked) + share(bare) + 0.5 * share(first.smaller)) / 3.5;
  });
  return merits.reduce((sum, merit) => sum + merit, 0) / merits.length;
}

function describe(figures: readonly DetectionFigures[]): string {
  const share = ({ found, of }: { found: number; of: number }) =>
    ((100 * found) / Math.max(1, of)).toFixed(1);
  return figures
    .filter((_, index) => index % 4 === 0)
    .map(
      ({ scoreThreshold, byLabel, smaller, extraPer100, notFaces }) =>
        `@${scoreThreshold.toFixed(2)} ${Object.values(byLabel).map(share).join('/')} <16 ${share(smaller)} extra ${extraPer100.toFixed(0)} not ${notFaces.found}`,
    )
    .join(' | ');
}
