import { MASK_LABELS, type MaskLabel, topLabel } from '../../domain/label.js';
import { addTo, BOOTSTRAP, bootstrapIntervals, type Interval } from '../metrics/bootstrap.js';
import {
  CONFUSION_LENGTH,
  eceOfTally,
  metricsOfTally,
  type TalliedFace,
  tallyFaces,
} from '../metrics/tally.js';
import { groupBy } from './group-by.js';
import type { FaceRecord } from './judge-pictures.js';

/** 95 % intervals of classification figures; a label that does not occur has none. */
export interface FigureIntervals {
  readonly accuracy: Interval;
  readonly macroF1: Interval;
  readonly ece: Interval;
  readonly labels: Readonly<
    Partial<
      Record<MaskLabel, { readonly precision: Interval; readonly recall: Interval; readonly f1: Interval }>
    >
  >;
}

/** What a face counts as: judged by all rules (null where it was missed), or by its crop alone. */
export type Reading = (face: FaceRecord) => TalliedFace;

/** By the rules of the product; a scene's face must be found. */
export function endToEnd(isScenes: boolean): Reading {
  return (face) => {
    const isJudged = (face.isFound || !isScenes) && face.reason === null;
    return { ...byCropAlone(face), ...(isJudged ? {} : { judged: null, scores: null }) };
  };
}

/** Every face judged by its crop, whatever the detector and the rules say of it. */
export function byCropAlone({ label, scores }: FaceRecord): TalliedFace {
  return {
    labelled: MASK_LABELS.indexOf(label),
    judged: MASK_LABELS.indexOf(topLabel(scores)),
    scores: MASK_LABELS.map((name) => scores[name]),
  };
}

/** One vector of sums per picture that holds any of the faces. */
export function talliesByPicture(faces: readonly FaceRecord[], reading: Reading): Float64Array[] {
  return [...groupBy(faces, ({ picture }) => picture).values()].map((group) =>
    tallyFaces(group.map(reading)),
  );
}

export function sumOf(tallies: readonly Float64Array[]): Float64Array {
  const sum = tallyFaces([]);
  for (const tally of tallies) addTo(sum, tally);
  return sum;
}

/** Intervals of all figures, resampled by picture. */
export function figureIntervals(tallies: readonly Float64Array[]): FigureIntervals | null {
  if (tallies.length === 0) return null;
  const intervals = bootstrapIntervals(tallies, (sum) => {
    const { count, accuracy, macroF1, labels } = metricsOfTally(sum);
    const perLabel = MASK_LABELS.flatMap((label) => {
      const { precision, recall, f1, support } = labels[label];
      return support === 0 ? [Number.NaN, Number.NaN, Number.NaN] : [precision, recall, f1];
    });
    return count === 0
      ? [Number.NaN, Number.NaN, Number.NaN, ...perLabel]
      : [accuracy, macroF1, eceOfTally(sum), ...perLabel];
  });
  const [accuracy, macroF1, ece, ...perLabel] = intervals;
  return {
    accuracy: accuracy!,
    macroF1: macroF1!,
    ece: ece!,
    labels: Object.fromEntries(
      MASK_LABELS.flatMap((label, i) => {
        const [precision, recall, f1] = perLabel.slice(i * 3, i * 3 + 3);
        return Number.isNaN(f1!.low) ? [] : [[label, { precision, recall, f1 }]];
      }),
    ),
  };
}

/** Intervals of accuracy and macro-F1 alone: a sixteenth of the work. */
export function shortIntervals(
  tallies: readonly Float64Array[],
): { readonly accuracy: Interval; readonly macroF1: Interval } | null {
  const counts = tallies.map((tally) => tally.subarray(0, CONFUSION_LENGTH));
  const [accuracy, macroF1] = bootstrapIntervals(counts, (sum) => {
    const metrics = metricsOfTally(sum);
    return metrics.count === 0 ? [Number.NaN, Number.NaN] : [metrics.accuracy, metrics.macroF1];
  });
  return accuracy && macroF1 ? { accuracy, macroF1 } : null;
}

/** Interval of a share of the faces, e.g. of those found, resampled by picture; null of no faces. */
export function shareInterval(
  faces: readonly FaceRecord[],
  isCounted: (face: FaceRecord) => boolean,
): Interval | null {
  const counts = [...groupBy(faces, ({ picture }) => picture).values()].map((group) =>
    Float64Array.of(group.filter(isCounted).length, group.length),
  );
  const [interval] = bootstrapIntervals(counts, ([part, whole]) => [part! / whole!], BOOTSTRAP);
  return interval ?? null;
}
