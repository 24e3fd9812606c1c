import { InferenceSession, Tensor } from 'onnxruntime-node';
import { MASK_LABELS } from '../../domain/label.js';
import { fromLogOdds } from '../../lib/log-odds.js';
import type { Network } from '../export/network.js';
import { writeOnnx } from '../export/onnx-writer.js';
import {
  calibratedScores,
  expectedCalibrationError,
  fitCalibration,
  meanLogLoss,
  reliabilityBins,
  shareWeights,
} from '../metrics/calibration.js';
import {
  type ClassificationMetrics,
  classificationMetrics,
  ratio,
} from '../metrics/classification-metrics.js';
import type { LabelShares } from '../recipes/recipe.js';
import { ONE_THREAD } from './batches.js';
import type { CropReader } from './crop-bank.js';
import { labelIndexOf } from './crop-sources.js';
import type { MaskCalibration } from './mask-network.js';

/** How well the output `face` tells faces from what is none. */
export interface FaceFigures {
  /** The score that this share of faces reaches, and the share of each kind of place without a face that does not. */
  readonly keeping: readonly {
    readonly facesKept: number;
    readonly threshold: number;
    readonly vetoed: Readonly<Record<string, number>>;
  }[];
  readonly faces: number;
  readonly places: Readonly<Record<string, number>>;
}

export interface JudgedValidation {
  /** Mean cross-entropy of the labels after calibration, weighted to the recipe's label shares. */
  readonly loss: number;
  readonly calibration: MaskCalibration;
  /** After calibration. */
  readonly labels: ClassificationMetrics;
  /** The same by data set. */
  readonly byDataset: Readonly<Record<string, ClassificationMetrics>>;
  /** Expected calibration error, 15 bins. */
  readonly ece: number;
  readonly face: FaceFigures | null;
}

/** The raw outputs for one held-out crop. */
export interface CropLogits {
  readonly labels: number[];
  readonly face: number;
}

const BATCH = 16;
const KEEPING = [0.999, 0.995, 0.99, 0.98];

/** Raw outputs of `network` (as `maskNetwork` makes it) for the first crop of every source, in order. */
export async function predictBank(network: Network, bank: CropReader, sizePx: number): Promise<CropLogits[]> {
  const session = await InferenceSession.create(writeOnnx(network), ONE_THREAD);
  const { cropBytes, sources } = bank;
  const pixels = new Uint8Array(BATCH * cropBytes);
  const rows: CropLogits[] = [];
  try {
    for (let at = 0; at < sources.length; at += BATCH) {
      const count = Math.min(BATCH, sources.length - at);
      for (let i = 0; i < count; i++)
        bank.read(at + i, 0, pixels.subarray(i * cropBytes, (i + 1) * cropBytes));
      const input = new Tensor('uint8', pixels.subarray(0, count * cropBytes), [count, sizePx, sizePx, 3]);
      const { label_logits: labels, face_logits: faces } = await session.run({ pixels: input });
      const labelData = labels!.data as Float32Array;
      const faceData = faces!.data as Float32Array;
      for (let i = 0; i < count; i++) {
        const from = i * MASK_LABELS.length;
        rows.push({ labels: [...labelData.subarray(from, from + MASK_LABELS.length)], face: faceData[i]! });
      }
    }
  } finally {
    await session.release();
  }
  return rows;
}

/** Fits the calibration on the held-out crops and judges them by it. */
export function judgeLogits(
  bank: Pick<CropReader, 'sources'>,
  logits: readonly CropLogits[],
  shares: LabelShares,
): JudgedValidation {
  const labelledRows = bank.sources.flatMap(({ target, weight, group }, index) => {
    const label = labelIndexOf(target);
    return label < 0 ? [] : [{ label, weight, dataset: group.split(' ')[0]!, row: logits[index]!.labels }];
  });
  const labelled = labelledRows.map(({ label }) => label);
  const rows = labelledRows.map(({ row }) => row);
  const perShare = shareWeights(
    labelled,
    MASK_LABELS.map((label) => shares[label]),
  );
  const weights = labelledRows.map(({ weight }, i) => weight * perShare[i]!);
  const labels = fitCalibration(rows, labelled, weights);
  const scores = rows.map((row) => calibratedScores(row, labels));
  const judged = scores.map((row) => row.indexOf(Math.max(...row)));
  const metricsOf = (indices: readonly number[]) =>
    classificationMetrics(indices.map((i) => ({ labelled: labelled[i]!, judged: judged[i]! })));
  const datasets = [...new Set(labelledRows.map(({ dataset }) => dataset))].sort();
  const bins = reliabilityBins(
    scores.map((row, i) => ({ score: Math.max(...row), isRight: judged[i] === labelled[i] })),
  );
  return {
    loss: meanLogLoss(rows, labelled, labels, weights),
    calibration: { labels, face: faceCalibration(bank, logits) },
    labels: metricsOf(labelled.map((_, i) => i)),
    byDataset: Object.fromEntries(
      datasets.map((name) => [
        name,
        metricsOf(labelledRows.flatMap(({ dataset }, i) => (dataset === name ? [i] : []))),
      ]),
    ),
    ece: expectedCalibrationError(bins),
    face: faceFigures(bank, logits),
  };
}

/** Fitted as if half of all crops showed a face: how often the detector errs is not for the classifier to know. */
function faceCalibration(
  { sources }: Pick<CropReader, 'sources'>,
  logits: readonly CropLogits[],
): MaskCalibration['face'] {
  const isFace = sources.map(({ target }) => (target === 'not_a_face' ? 0 : 1));
  if (!isFace.includes(0) || !isFace.includes(1)) return { temperature: 1, bias: 0 };
  const rows = logits.map(({ face }) => [0, face]);
  const { temperature, bias } = fitCalibration(rows, isFace, shareWeights(isFace, [0.5, 0.5]));
  return { temperature, bias: bias[1]! - bias[0]! };
}

function faceFigures(
  { sources }: Pick<CropReader, 'sources'>,
  logits: readonly CropLogits[],
): FaceFigures | null {
  const { temperature, bias } = faceCalibration({ sources }, logits);
  const scoreOf = (index: number) => fromLogOdds(logits[index]!.face / temperature + bias);
  const faces: number[] = [];
  const places = new Map<string, number[]>();
  sources.forEach(({ target, group }, index) => {
    const kind = group.split(' ')[1]!;
    if (target === 'not_a_face') places.set(kind, [...(places.get(kind) ?? []), scoreOf(index)]);
    else faces.push(scoreOf(index));
  });
  if (faces.length === 0 || places.size === 0) return null;
  faces.sort((a, b) => a - b);
  return {
    keeping: KEEPING.map((facesKept) => {
      const threshold = faces[Math.floor(faces.length * (1 - facesKept))]!;
      return {
        facesKept,
        threshold,
        vetoed: Object.fromEntries(
          [...places].map(([kind, own]) => [
            kind,
            ratio(own.filter((score) => score < threshold).length, own.length),
          ]),
        ),
      };
    }),
    faces: faces.length,
    places: Object.fromEntries([...places].map(([kind, own]) => [kind, own.length])),
  };
}
