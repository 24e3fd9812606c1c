import { relative, resolve, sep } from 'node:path';
import { MASK_LABELS, type MaskLabel } from '../../domain/label.js';
import { AppError } from '../../lib/errors.js';
import { listPictures } from '../dataset/discover.js';
import type { ScenePicture } from '../dataset/picture.js';
import { MANIFEST_FILE, type ManifestLine, readManifest } from '../faceless/manifest.js';
import { bootstrapIntervals, type Interval, wilsonInterval } from '../metrics/bootstrap.js';
import type { TrainingProgress } from '../train.js';
import { type InferencePort, PictureJudge } from './judge.js';
import { type JudgeRules, judgePicture } from './judge-pictures.js';
import { observeAll } from './observe-all.js';

/** Boxes on pictures that show no face: all of them are false. */
export interface BoxCount {
  readonly count: number;
  /** Boxes in 100 pictures, with a 95 % interval (bootstrap by picture; with no box at all that of the pictures). */
  readonly per100: number;
  readonly per100Interval: Interval;
  readonly picturesWithAny: number;
  /** Of the share of pictures with any: 95 %, Wilson. */
  readonly picturesWithAnyInterval: Interval;
}

/** A picture without a face, and how far each of its boxes got. */
export interface FalseBoxes {
  readonly picture: ScenePicture;
  /** The manifest's line, where the folder has one. */
  readonly line: ManifestLine | null;
  /** Boxes of the detector at the threshold in force. */
  readonly detected: number;
  /** Outcomes of those that the classifier holds for a face too: what the service shows. */
  readonly shown: readonly (MaskLabel | 'not_assessable')[];
}

/** Counts for the three stages, and of the labels that the policy objects to. */
export interface StageCounts {
  readonly pictures: number;
  readonly detected: BoxCount;
  readonly shown: BoxCount;
  readonly judged: BoxCount;
  readonly violations: BoxCount;
}

export interface FalseBoxReport {
  readonly model: string;
  readonly detector: string;
  readonly data: string;
  /** Pictures. */
  readonly count: number;
  /** What the service shows, as in `stages.shown`, by outcome, and all stages by kind and by part of the set. */
  readonly falseBoxes: BoxCount & {
    readonly byOutcome: Readonly<Record<MaskLabel | 'not_assessable', number>>;
    readonly stages: Omit<StageCounts, 'pictures'>;
    readonly byKind?: Readonly<Record<string, StageCounts>>;
    readonly byPart?: Readonly<Record<string, StageCounts>>;
  };
  readonly thresholds: {
    readonly detectionScore: number;
    readonly minFaceScore: number;
    readonly minCertainty: number;
  };
}

export interface FalseBoxOptions {
  /** Pictures below it, at any depth; `manifest.jsonl` in it tells kind and part of each, when it is there. */
  readonly dataDir: string;
  readonly model: string;
  readonly detector: string;
  /** Stays its owner's. */
  readonly inference: InferencePort;
  readonly rules: JudgeRules;
  readonly violations: readonly MaskLabel[];
  readonly concurrency: number;
  readonly progress?: TrainingProgress;
  readonly signal?: AbortSignal;
}

/**
 * Judges pictures that show no face as the service would and counts what it takes for one. Rejects with `AppError`
 * DATA_NOT_FOUND when there is no picture, DATA_UNREADABLE, DATA_INVALID, a worker's code, or the signal's reason.
 */
export async function countFalseBoxes(options: FalseBoxOptions): Promise<FalseBoxReport> {
  const { rules, inference, progress, signal, concurrency } = options;
  const pictures = await readFaceless(options.dataDir);
  const judge = new PictureJudge(inference, rules.scoreThreshold, rules.scoreThreshold);
  progress?.begin('judging', pictures.length, 'pictures');
  const observations = await observeAll(
    pictures.map(({ picture }) => picture),
    judge,
    { concurrency, onDone: (done) => progress?.update(done), ...(signal ? { signal } : {}) },
  ).finally(() => progress?.end());
  const found = pictures.map(
    ({ picture, line }, index): FalseBoxes => ({
      ...{ picture, line },
      detected: observations[index]!.detections.length,
      shown: judgePicture(picture, observations[index]!, rules).unmatched.map(({ outcome }) => outcome),
    }),
  );
  return falseBoxReport(found, options);
}

/** The report of what was found. Pure; `found` holds every picture of the set, also those without a box. */
export function falseBoxReport(
  found: readonly FalseBoxes[],
  {
    model,
    detector,
    dataDir,
    rules,
    violations,
  }: Pick<FalseBoxOptions, 'model' | 'detector' | 'dataDir' | 'rules' | 'violations'>,
): FalseBoxReport {
  const { pictures, ...stages } = stageCounts(found, violations);
  const outcomes = found.flatMap(({ shown }) => shown);
  const hasManifest = found.some(({ line }) => line !== null);
  return {
    ...{ model, detector, data: dataDir, count: pictures },
    falseBoxes: {
      ...stages.shown,
      byOutcome: Object.fromEntries(
        [...MASK_LABELS, 'not_assessable' as const].map((outcome) => [
          outcome,
          outcomes.filter((other) => other === outcome).length,
        ]),
      ) as Record<MaskLabel | 'not_assessable', number>,
      stages,
      ...(hasManifest
        ? {
            byKind: grouped(found, violations, ({ line }) => line?.kind ?? 'not in the manifest'),
            byPart: grouped(found, violations, ({ line }) => line?.part ?? 'not in the manifest'),
          }
        : {}),
    },
    thresholds: {
      detectionScore: rules.scoreThreshold,
      minFaceScore: rules.minFaceScore ?? 0,
      minCertainty: rules.minCertainty,
    },
  };
}

async function readFaceless(dataDir: string): Promise<Pick<FalseBoxes, 'picture' | 'line'>[]> {
  const root = resolve(dataDir);
  const paths = await listPictures(root);
  if (paths.length === 0)
    throw new AppError('DATA_NOT_FOUND', `${dataDir} holds no picture`, { path: dataDir, exitCode: 2 });
  const manifest = await readManifest(resolve(root, MANIFEST_FILE));
  const lines = new Map(manifest?.map((line) => [line.file, line]));
  return paths.map((path) => {
    const id = relative(root, path).split(sep).join('/');
    // Its size is told by the observation; nothing in it is labelled.
    const nothing = { faces: [], unclassified: [], ignored: [], notFaces: [] };
    const picture: ScenePicture = {
      kind: 'scene',
      path,
      id,
      dataset: dataDir,
      width: 0,
      height: 0,
      ...nothing,
    };
    return { picture, line: lines.get(id) ?? null };
  });
}

function grouped(
  found: readonly FalseBoxes[],
  violations: readonly MaskLabel[],
  keyOf: (picture: FalseBoxes) => string,
): Record<string, StageCounts> {
  const keys = [...new Set(found.map(keyOf))].sort();
  return Object.fromEntries(
    keys.map((key) => [
      key,
      stageCounts(
        found.filter((picture) => keyOf(picture) === key),
        violations,
      ),
    ]),
  );
}

function stageCounts(found: readonly FalseBoxes[], violations: readonly MaskLabel[]): StageCounts {
  const isJudged = (outcome: MaskLabel | 'not_assessable') => outcome !== 'not_assessable';
  const isViolation = (outcome: MaskLabel | 'not_assessable') =>
    violations.some((label) => label === outcome);
  return {
    pictures: found.length,
    detected: boxCount(found.map(({ detected }) => detected)),
    shown: boxCount(found.map(({ shown }) => shown.length)),
    judged: boxCount(found.map(({ shown }) => shown.filter(isJudged).length)),
    violations: boxCount(found.map(({ shown }) => shown.filter(isViolation).length)),
  };
}

/** `counts`: boxes of each picture. */
function boxCount(counts: readonly number[]): BoxCount {
  const count = counts.reduce((sum, boxes) => sum + boxes, 0);
  const picturesWithAny = counts.filter((boxes) => boxes > 0).length;
  const picturesWithAnyInterval = wilsonInterval(picturesWithAny, counts.length);
  const [drawn] = bootstrapIntervals(
    counts.map((boxes) => Float64Array.of(boxes, 1)),
    ([boxes = 0, pictures = 1]) => [(boxes / pictures) * 100],
  );
  const ofPictures = { low: picturesWithAnyInterval.low * 100, high: picturesWithAnyInterval.high * 100 };
  return {
    count,
    per100: counts.length === 0 ? 0 : (count / counts.length) * 100,
    // Where nothing was found the bootstrap knows no doubt.
    per100Interval: count === 0 || !drawn ? ofPictures : drawn,
    ...{ picturesWithAny, picturesWithAnyInterval },
  };
}
