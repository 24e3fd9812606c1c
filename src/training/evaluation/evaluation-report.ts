import { MASK_LABELS, type MaskLabel, NOT_ASSESSABLE_REASONS } from '../../domain/label.js';
import type { CorrectionsReport } from '../dataset/correct-pictures.js';
import type { Interval } from '../metrics/bootstrap.js';
import type { ReliabilityBin } from '../metrics/calibration.js';
import type { ClassificationMetrics } from '../metrics/classification-metrics.js';
import { ratio } from '../metrics/classification-metrics.js';
import { binsOfTally, eceOfTally, metricsOfTally } from '../metrics/tally.js';
import { type AlarmBudget, type AlarmRules, alarmBudget } from './alarm-budget.js';
import { averagePrecision } from './average-precision.js';
import { type CalibrationReport, calibrationReport } from './calibration-report.js';
import type { FaceTags, TagsReport } from './face-tags.js';
import {
  byCropAlone,
  endToEnd,
  type FigureIntervals,
  figureIntervals,
  type Reading,
  shareInterval,
  shortIntervals,
  sumOf,
  talliesByPicture,
} from './figures.js';
import { type FaceRecord, type JudgedPicture, REFERENCE_WIDTH_PX } from './judge-pictures.js';
import type { ModelComparison } from './model-comparison.js';
import { sizeName, sliceDimensions, sliceFaces } from './slice-names.js';

/** Figures over a part of the faces. */
export interface Slice {
  readonly count: number;
  readonly accuracy: number;
  readonly macroF1: number;
  readonly f1: Readonly<Partial<Record<MaskLabel, number>>>;
  readonly support: Readonly<Record<MaskLabel, number>>;
  /** 95 %, by picture; only from {@link FEWEST_FOR_INTERVALS} faces on. */
  readonly intervals?: { readonly accuracy: Interval; readonly macroF1: Interval };
  /** Scenes only: judged by the crop alone, found or not, assessable or not. */
  readonly givenTheBox?: {
    readonly accuracy: number;
    readonly macroF1: number;
    readonly f1: Readonly<Partial<Record<MaskLabel, number>>>;
    readonly intervals?: { readonly accuracy: Interval; readonly macroF1: Interval };
  };
}

/** Judged by the crop alone. */
export interface CropMetrics extends ClassificationMetrics {
  readonly ece: number;
  readonly intervals: FigureIntervals | null;
}

/** Labelled faces from a size on. */
export interface SizeLimit {
  /** Shorter side of the labelled box, pixels, with the picture brought to a width of `atWidthPx`. */
  readonly px: number;
  readonly atWidthPx: number;
}

/** CONTRACTS.md, `evaluate`. Ratios in [0, 1]. */
export interface EvaluateReport extends ClassificationMetrics {
  readonly model: string;
  readonly data: string;
  readonly pictures: number;
  /** Which corrections of labels and boxes these figures stand on. */
  readonly corrections: CorrectionsReport;
  /** Expected calibration error over the judged faces, 15 bins. */
  readonly ece: number;
  /** 95 %: percentile bootstrap, 1000 times, by picture. */
  readonly intervals: FigureIntervals | null;
  readonly calibration: CalibrationReport;
  /** Smaller labelled faces, not counted anywhere; only with a limit. */
  readonly minFacePx?: SizeLimit & { readonly leftOut: number };
  readonly notAssessable: { readonly count: number; readonly byReason: Readonly<Record<string, number>> };
  /** Scenes only. */
  readonly detection?: DetectionFigures;
  /** Scenes only: every labelled face judged by its crop, found or not, assessable or not. */
  readonly givenTheBox?: CropMetrics;
  /** The same of faces from 16 px on at a picture width of 640. */
  readonly givenTheBoxMinPx?: SizeLimit & CropMetrics;
  /** Scenes only: what became of the labelled faces. */
  readonly fate?: Readonly<Record<MaskLabel, Readonly<Record<string, number>>>>;
  /** Crops without faces labelled as worn incorrectly: which of the two other scores is the higher. */
  readonly twoLabels?: { readonly count: number; readonly right: number; readonly accuracy: number };
  readonly slices: Readonly<Record<string, Slice>>;
  /** Only with a tags file. */
  readonly tags?: TagsReport;
  readonly reliability: readonly ReliabilityBin[];
  readonly alarmBudget?: AlarmBudget;
  readonly comparison?: ModelComparison;
}

export interface DetectionFigures {
  readonly recallByLabel: Readonly<Partial<Record<MaskLabel, number>>>;
  /** Faces from 16 px on at a picture width of 640. */
  readonly recallByLabelMinPx: SizeLimit & {
    readonly recallByLabel: Readonly<Partial<Record<MaskLabel, number>>>;
    readonly support: Readonly<Partial<Record<MaskLabel, number>>>;
    readonly intervals: Readonly<Partial<Record<MaskLabel, Interval>>>;
  };
  /** null unless every face in the set is labelled (`--complete`). */
  readonly precision: number | null;
  readonly ap50: number | null;
  /** Detections on no labelled face, by size (shorter side, pixels) and by what they were judged to be. */
  readonly unmatched: {
    readonly count: number;
    readonly bySizePx: Readonly<Record<string, number>>;
    readonly byOutcome: Readonly<Record<string, number>>;
  };
}

export interface ReportContext {
  readonly model: string;
  readonly data: string;
  readonly isScenes: boolean;
  /** Every face in the set is labelled, so a detection elsewhere is a false alarm. */
  readonly isComplete: boolean;
  readonly corrections: CorrectionsReport;
  /** Smallest labelled face that counts, pixels at a picture width of 640. Default 0: all. */
  readonly minLabelledPx?: number;
  /** Scenes only: for the expected alarms. */
  readonly alarms?: AlarmRules;
  /** What people said of faces. */
  readonly tags?: FaceTags;
}

/** The detector's figures are told for faces from this size on. */
const DETECTABLE: SizeLimit = { px: 16, atWidthPx: REFERENCE_WIDTH_PX };
export const FEWEST_FOR_INTERVALS = 30;

/** Puts the figures together. A labelled face that was not found or is not assessable is a miss. */
export function evaluationReport(judged: readonly JudgedPicture[], context: ReportContext): EvaluateReport {
  const { isScenes, minLabelledPx = 0 } = context;
  const faces = judged.flatMap((picture) => picture.faces);
  const reading = endToEnd(isScenes);
  const tallies = talliesByPicture(faces, reading);
  const sum = sumOf(tallies);
  const unassessable = faces.filter(({ reason }) => reason !== null);
  const alarms = isScenes && context.alarms ? alarmBudget(faces, context.alarms) : null;
  const slices: Record<string, Slice> = {};
  for (const [name, part] of sliceFaces(faces, sliceDimensions(context.tags)))
    slices[name] = {
      ...sliceOf(part, reading),
      ...(isScenes ? { givenTheBox: givenTheBoxSlice(part) } : {}),
    };
  return {
    model: context.model,
    data: context.data,
    pictures: judged.length,
    corrections: context.corrections,
    ...metricsOfTally(sum),
    ece: eceOfTally(sum),
    intervals: figureIntervals(tallies),
    calibration: calibrationReport(faces, reading),
    ...(minLabelledPx > 0
      ? {
          minFacePx: {
            px: minLabelledPx,
            atWidthPx: REFERENCE_WIDTH_PX,
            leftOut: judged.reduce((count, { leftOut }) => count + leftOut, 0),
          },
        }
      : {}),
    notAssessable: {
      count: unassessable.length,
      byReason: countedBy(unassessable, NOT_ASSESSABLE_REASONS, ({ reason }) => reason),
    },
    ...(isScenes ? sceneFigures(judged, faces, context.isComplete) : cropFigures(faces)),
    slices,
    ...(context.tags ? { tags: context.tags.report(faces) } : {}),
    ...(alarms ? { alarmBudget: alarms } : {}),
    reliability: binsOfTally(sum),
  };
}

function sceneFigures(
  judged: readonly JudgedPicture[],
  faces: readonly FaceRecord[],
  isComplete: boolean,
): Pick<EvaluateReport, 'detection' | 'givenTheBox' | 'givenTheBoxMinPx' | 'fate'> & object {
  const unmatched = judged.flatMap((picture) => picture.unmatched);
  const foundCount = faces.filter(({ isFound }) => isFound).length;
  const detectable = faces.filter(({ referencePx }) => referencePx >= DETECTABLE.px);
  const byLabel = <T>(of: readonly FaceRecord[], figure: (labelled: readonly FaceRecord[]) => T) =>
    Object.fromEntries(
      MASK_LABELS.flatMap((label) => {
        const labelled = of.filter((face) => face.label === label);
        return labelled.length === 0 ? [] : [[label, figure(labelled)]];
      }),
    ) as Partial<Record<MaskLabel, T>>;
  const recall = (labelled: readonly FaceRecord[]) =>
    ratio(labelled.filter(({ isFound }) => isFound).length, labelled.length);
  return {
    detection: {
      recallByLabel: byLabel(faces, recall),
      recallByLabelMinPx: {
        ...DETECTABLE,
        recallByLabel: byLabel(detectable, recall),
        support: byLabel(detectable, ({ length }) => length),
        intervals: byLabel(detectable, (labelled) => shareInterval(labelled, ({ isFound }) => isFound)!),
      },
      precision: isComplete ? ratio(foundCount, foundCount + unmatched.length) : null,
      ap50: isComplete
        ? averagePrecision(
            judged.flatMap(({ detections }) => detections),
            faces.length,
          )
        : null,
      unmatched: {
        count: unmatched.length,
        bySizePx: countedBy(unmatched, null, ({ facePx }) => sizeName(facePx)),
        byOutcome: countedBy(unmatched, null, ({ outcome }) => outcome),
      },
    },
    givenTheBox: cropMetrics(faces),
    givenTheBoxMinPx: { ...DETECTABLE, ...cropMetrics(detectable) },
    fate: byLabel(faces, (labelled) => countedBy(labelled, null, fateOf)) as NonNullable<
      EvaluateReport['fate']
    >,
  };
}

/** `right`, `wrong_label`, `not_found` or the reason for which it is not assessable. */
function fateOf(face: FaceRecord): string {
  if (!face.isFound) return 'not_found';
  const { labelled, judged } = byCropAlone(face);
  return face.reason ?? (labelled === judged ? 'right' : 'wrong_label');
}

function cropMetrics(faces: readonly FaceRecord[]): CropMetrics {
  const tallies = talliesByPicture(faces, byCropAlone);
  const sum = sumOf(tallies);
  return { ...metricsOfTally(sum), ece: eceOfTally(sum), intervals: figureIntervals(tallies) };
}

function cropFigures(faces: readonly FaceRecord[]): Pick<EvaluateReport, 'twoLabels'> & object {
  if (faces.some(({ label }) => label === 'mask_worn_incorrectly')) return {};
  const right = faces.filter(({ label, scores }) => {
    const isMasked = scores.with_mask >= scores.without_mask;
    return isMasked === (label === 'with_mask');
  }).length;
  return { twoLabels: { count: faces.length, right, accuracy: ratio(right, faces.length) } };
}

function givenTheBoxSlice(faces: readonly FaceRecord[]): NonNullable<Slice['givenTheBox']> {
  const { accuracy, macroF1, f1, intervals } = sliceOf(faces, byCropAlone);
  return { accuracy, macroF1, f1, ...(intervals ? { intervals } : {}) };
}

function sliceOf(faces: readonly FaceRecord[], reading: Reading): Slice {
  const tallies = talliesByPicture(faces, reading);
  const { count, accuracy, macroF1, labels } = metricsOfTally(sumOf(tallies));
  const f1: Partial<Record<MaskLabel, number>> = {};
  for (const label of MASK_LABELS) if (labels[label].support > 0) f1[label] = labels[label].f1;
  const support = {
    with_mask: labels.with_mask.support,
    without_mask: labels.without_mask.support,
    mask_worn_incorrectly: labels.mask_worn_incorrectly.support,
  };
  const intervals = count < FEWEST_FOR_INTERVALS ? null : shortIntervals(tallies);
  return { count, accuracy, macroF1, f1, support, ...(intervals ? { intervals } : {}) };
}

/** How many items have each key; with `keys` all of these in their order, else those that occur. */
function countedBy<T>(
  items: readonly T[],
  keys: readonly string[] | null,
  keyOf: (item: T) => string | null,
): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries((keys ?? []).map((key) => [key, 0]));
  for (const item of items) {
    const key = keyOf(item);
    if (key !== null) counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
