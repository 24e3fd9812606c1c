import { basename } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { MASK_LABELS } from '../../domain/label.js';
import type { Network } from '../export/network.js';
import { writeOnnx } from '../export/onnx-writer.js';
import { expectedCalibrationError, reliabilityBins } from '../metrics/calibration.js';
import { type ClassificationMetrics, classificationMetrics } from '../metrics/classification-metrics.js';
import type { PaperRecipe } from '../recipes/paper.js';
import type { Portrait } from './portraits.js';

export interface Mistake {
  readonly file: string;
  readonly labelled: string;
  readonly judged: string;
  /** Of the judged label. */
  readonly score: number;
}

/** What a model makes of a set of portraits. */
export interface JudgedPortraits {
  readonly count: number;
  readonly right: number;
  readonly errors: number;
  readonly accuracy: number;
  /** Mean negative logarithm of the right label's score. */
  readonly loss: number;
  /** Expected calibration error, 15 bins. */
  readonly ece: number;
  readonly mistakes: readonly Mistake[];
  readonly metrics: ClassificationMetrics;
  /** Picture after picture, in the order of the recipe's labels. */
  readonly scores: Float32Array;
}

const BATCH = 8;

/**
 * Judges whole portraits with a network (input of the portraits' size, output `scores`) as it would be stored:
 * with `isCompact` its large weights in uint8 or float16, as the shipped files have them.
 */
export async function judgePortraits(
  network: Network,
  portraits: readonly Portrait[],
  recipe: PaperRecipe,
  isCompact: boolean,
): Promise<JudgedPortraits> {
  const session = await InferenceSession.create(writeOnnx(network, { isCompact }));
  const labelCount = recipe.labels.length;
  const size = recipe.inputPx ** 2 * 3;
  const scores = new Float32Array(portraits.length * labelCount);
  for (let start = 0; start < portraits.length; start += BATCH) {
    const part = portraits.slice(start, start + BATCH);
    const pixels = new Uint8Array(part.length * size);
    for (const [i, portrait] of part.entries()) pixels.set(portrait.pixels, i * size);
    const input = new Tensor('uint8', pixels, [part.length, recipe.inputPx, recipe.inputPx, 3]);
    scores.set((await session.run({ pixels: input })).scores!.data as Float32Array, start * labelCount);
  }
  await session.release();
  return { ...figuresOf(scores, portraits, recipe), scores };
}

function figuresOf(
  scores: Float32Array,
  portraits: readonly Portrait[],
  { labels }: PaperRecipe,
): Omit<JudgedPortraits, 'scores'> {
  const rows = portraits.map((portrait, i) => {
    const row = scores.subarray(i * labels.length, (i + 1) * labels.length);
    return { portrait, row, judged: row.indexOf(Math.max(...row)) };
  });
  const wrong = rows.filter(({ portrait, judged }) => judged !== portrait.labelIndex);
  const losses = rows.map(({ portrait, row }) => -Math.log(Math.max(1e-7, row[portrait.labelIndex]!)));
  const place = (index: number) => MASK_LABELS.indexOf(labels[index]!);
  return {
    count: rows.length,
    right: rows.length - wrong.length,
    errors: wrong.length,
    accuracy: (rows.length - wrong.length) / rows.length,
    loss: losses.reduce((sum, loss) => sum + loss, 0) / rows.length,
    ece: expectedCalibrationError(
      reliabilityBins(
        rows.map(({ portrait, row, judged }) => ({
          score: row[judged]!,
          isRight: judged === portrait.labelIndex,
        })),
      ),
    ),
    mistakes: wrong.map(({ portrait, row, judged }) => ({
      file: basename(portrait.picture.path),
      labelled: labels[portrait.labelIndex]!,
      judged: labels[judged]!,
      score: Math.round(row[judged]! * 1e4) / 1e4,
    })),
    metrics: classificationMetrics(
      rows.map(({ portrait, judged }) => ({ labelled: place(portrait.labelIndex), judged: place(judged) })),
    ),
  };
}
