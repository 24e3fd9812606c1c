import { MASK_LABELS } from '../../domain/label.js';
import { expectedCalibrationError, type ReliabilityBin } from './calibration.js';
import { type ClassificationMetrics, type JudgedFace, metricsFromCounts } from './classification-metrics.js';

/** A judged face with the scores on which the judgement rests, in the order of `MASK_LABELS`; null: not judged. */
export interface TalliedFace extends JudgedFace {
  readonly scores: readonly number[] | null;
}

export const CALIBRATION_BINS = 15;
const L = MASK_LABELS.length;
const SUPPORT = L * L;
/** The confusion counts and the support stand first. */
export const CONFUSION_LENGTH = SUPPORT + L;
const TOP_BINS = CONFUSION_LENGTH;
/** Per bin: how many, the sum of their scores, how many were right. */
const BIN_FIELDS = 3;
const LABEL_BINS = TOP_BINS + CALIBRATION_BINS * BIN_FIELDS;
const LENGTH = LABEL_BINS + L * CALIBRATION_BINS * BIN_FIELDS;

/**
 * Faces as one vector of sums: confusion counts, support, bins of the highest score, bins of each label's score.
 * The vector of two groups together is the sum of theirs, which makes resampling cheap.
 */
export function tallyFaces(faces: readonly TalliedFace[]): Float64Array {
  const tally = new Float64Array(LENGTH);
  const addToBin = (from: number, score: number, isRight: boolean) => {
    const bin = Math.min(CALIBRATION_BINS - 1, Math.floor(score * CALIBRATION_BINS));
    const at = from + bin * BIN_FIELDS;
    tally[at]!++;
    tally[at + 1]! += score;
    if (isRight) tally[at + 2]!++;
  };
  for (const { labelled, judged, scores } of faces) {
    tally[SUPPORT + labelled]!++;
    if (judged !== null) tally[labelled * L + judged]!++;
    if (!scores || judged === null) continue;
    addToBin(TOP_BINS, scores[judged]!, labelled === judged);
    for (let label = 0; label < L; label++)
      addToBin(LABEL_BINS + label * CALIBRATION_BINS * BIN_FIELDS, scores[label]!, labelled === label);
  }
  return tally;
}

export function metricsOfTally(tally: Float64Array): ClassificationMetrics {
  const rows = MASK_LABELS.map((_, i) => [...tally.subarray(i * L, (i + 1) * L)]);
  return metricsFromCounts(rows, [...tally.subarray(SUPPORT, SUPPORT + L)]);
}

/** Bins of the highest score, or of the score of one label (an index into `MASK_LABELS`). */
export function binsOfTally(tally: Float64Array, label?: number): ReliabilityBin[] {
  const from = label === undefined ? TOP_BINS : LABEL_BINS + label * CALIBRATION_BINS * BIN_FIELDS;
  return Array.from({ length: CALIBRATION_BINS }, (_, bin) => {
    const at = from + bin * BIN_FIELDS;
    const count = tally[at]!;
    return {
      from: bin / CALIBRATION_BINS,
      to: (bin + 1) / CALIBRATION_BINS,
      count,
      meanScore: count === 0 ? 0 : tally[at + 1]! / count,
      accuracy: count === 0 ? 0 : tally[at + 2]! / count,
    };
  });
}

export function eceOfTally(tally: Float64Array, label?: number): number {
  return expectedCalibrationError(binsOfTally(tally, label));
}
