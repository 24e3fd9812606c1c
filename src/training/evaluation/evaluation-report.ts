import { MASK_LABELS, type MaskLabel, NOT_ASSESSABLE_REASONS, topLabel } from '../../domain/label.js';
import type { CorrectionsReport } from '../dataset/correct-pictures.js';
import { expectedCalibrationError, type ReliabilityBin, reliabilityBins } from '../metrics/calibration.js';
import {
  type ClassificationMetrics,
  classificationMetrics,
  type JudgedFace,
  ratio,
} from '../metrics/classification-metrics.js';
import { averagePrecision } from './average-precision.js';
import type { FaceRecord, JudgedPicture } from './judge-pictures.js';

/** Figures over a part of the faces. */
export interface Slice {
  readonly count: number;
  readonly accuracy: number;
  readonly macroF1: number;
  readonly f1: Readonly<Partial<Record<MaskLabel, number>>>;
  readonly support: Readonly<Record<MaskLabel, number>>;
  /** Scenes only: judged by the crop alone, found or not, assessable or not. */
  readonly givenTheBox?: { readonly accuracy: number; readonly macroF1: number };
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
  readonly notAssessable: { readonly count: number; readonly byReason: Readonly<Record<string, number>> };
  /** Scenes only. */
  readonly detection?: {
    readonly recallByLabel: Readonly<Partial<Record<MaskLabel, number>>>;
    /** null unless every face in the set is labelled (`--complete`). */
    readonly precision: number | null;
    readonly ap50: number | null;
    /** Detections on no labelled face, by size (shorter side, pixels) and by what they were judged to be. */
    readonly unmatched: {
      readonly count: number;
      readonly bySizePx: Readonly<Record<string, number>>;
      readonly byOutcome: Readonly<Record<string, number>>;
    };
  };
  /** Scenes only: every labelled face judged by its crop, found or not, assessable or not. */
  readonly givenTheBox?: ClassificationMetrics;
  /** Crops without faces labelled as worn incorrectly: which of the two other scores is the higher. */
  readonly twoLabels?: { readonly count: number; readonly right: number; readonly accuracy: number };
  readonly slices: Readonly<Record<string, Slice>>;
  readonly reliability: readonly ReliabilityBin[];
}

export interface ReportContext {
  readonly model: string;
  readonly data: string;
  readonly isScenes: boolean;
  /** Every face in the set is labelled, so a detection elsewhere is a false alarm. */
  readonly isComplete: boolean;
  readonly corrections: CorrectionsReport;
}

/** Faces by their shorter side, pixels. */
const SIZE_LIMITS_PX = [16, 24, 32, 48, 96] as const;

export function sizeName(facePx: number): string {
  const upper = SIZE_LIMITS_PX.findIndex((limit) => facePx < limit);
  if (upper === 0) return `under ${SIZE_LIMITS_PX[0]} px`;
  if (upper === -1) return `${SIZE_LIMITS_PX.at(-1)} px and more`;
  return `${SIZE_LIMITS_PX[upper - 1]} to ${SIZE_LIMITS_PX[upper]} px`;
}

/** Puts the figures together. A labelled face that was not found or is not assessable is a miss. */
export function evaluationReport(judged: readonly JudgedPicture[], context: ReportContext): EvaluateReport {
  const faces = judged.flatMap((picture) => picture.faces);
  const isJudged = (face: FaceRecord) => (face.isFound || !context.isScenes) && face.reason === null;
  const asJudged = (face: FaceRecord): JudgedFace => ({
    labelled: MASK_LABELS.indexOf(face.label),
    judged: isJudged(face) ? MASK_LABELS.indexOf(topLabel(face.scores)) : null,
  });
  const reliability = reliabilityBins(
    faces.filter(isJudged).map(({ scores, label }) => {
      const judgedLabel = topLabel(scores);
      return { score: scores[judgedLabel], isRight: judgedLabel === label };
    }),
  );
  const unassessable = faces.filter(({ reason }) => reason !== null);
  const slices: Record<string, Slice> = {};
  const addSlices = (from: readonly FaceRecord[], nameOf: (face: FaceRecord) => string, prefix: string) => {
    for (const [name, part] of groupBy(from, nameOf))
      slices[`${prefix}${name}`] = {
        ...sliceOf(part.map(asJudged)),
        ...(context.isScenes ? { givenTheBox: shortFigures(byCropAlone(part)) } : {}),
      };
  };
  // Sizes in rising order.
  const bySize = faces.toSorted((a, b) => a.facePx - b.facePx);
  addSlices(bySize, ({ facePx }) => sizeName(facePx), 'face ');
  addSlices(faces, ({ picture }) => picture.dataset, 'data ');
  return {
    model: context.model,
    data: context.data,
    pictures: judged.length,
    corrections: context.corrections,
    ...classificationMetrics(faces.map(asJudged)),
    ece: expectedCalibrationError(reliability),
    notAssessable: {
      count: unassessable.length,
      byReason: Object.fromEntries(
        NOT_ASSESSABLE_REASONS.map((reason) => [
          reason,
          unassessable.filter((face) => face.reason === reason).length,
        ]),
      ),
    },
    ...(context.isScenes ? sceneFigures(judged, faces, context.isComplete) : cropFigures(faces)),
    slices,
    reliability,
  };
}

function sceneFigures(
  judged: readonly JudgedPicture[],
  faces: readonly FaceRecord[],
  isComplete: boolean,
): Pick<EvaluateReport, 'detection' | 'givenTheBox'> & object {
  const unmatched = judged.flatMap((picture) => picture.unmatched);
  const foundCount = faces.filter(({ isFound }) => isFound).length;
  const recallByLabel: Partial<Record<MaskLabel, number>> = {};
  for (const label of MASK_LABELS) {
    const labelled = faces.filter((face) => face.label === label);
    if (labelled.length > 0)
      recallByLabel[label] = ratio(labelled.filter(({ isFound }) => isFound).length, labelled.length);
  }
  return {
    detection: {
      recallByLabel,
      precision: isComplete ? ratio(foundCount, foundCount + unmatched.length) : null,
      ap50: isComplete
        ? averagePrecision(
            judged.flatMap(({ detections }) => detections),
            faces.length,
          )
        : null,
      unmatched: {
        count: unmatched.length,
        bySizePx: countBy(unmatched, ({ facePx }) => sizeName(facePx)),
        byOutcome: countBy(unmatched, ({ outcome }) => outcome),
      },
    },
    givenTheBox: byCropAlone(faces),
  };
}

function cropFigures(faces: readonly FaceRecord[]): Pick<EvaluateReport, 'twoLabels'> & object {
  if (faces.some(({ label }) => label === 'mask_worn_incorrectly')) return {};
  const right = faces.filter(({ label, scores }) => {
    const isMasked = scores.with_mask >= scores.without_mask;
    return isMasked === (label === 'with_mask');
  }).length;
  return { twoLabels: { count: faces.length, right, accuracy: ratio(right, faces.length) } };
}

/** Every face judged by its crop, whatever the detector and the rules say of it. */
function byCropAlone(faces: readonly FaceRecord[]): ClassificationMetrics {
  return classificationMetrics(
    faces.map(({ label, scores }) => ({
      labelled: MASK_LABELS.indexOf(label),
      judged: MASK_LABELS.indexOf(topLabel(scores)),
    })),
  );
}

function shortFigures({ accuracy, macroF1 }: ClassificationMetrics): { accuracy: number; macroF1: number } {
  return { accuracy, macroF1 };
}

function sliceOf(faces: readonly JudgedFace[]): Slice {
  const { count, accuracy, macroF1, labels } = classificationMetrics(faces);
  const f1: Partial<Record<MaskLabel, number>> = {};
  for (const label of MASK_LABELS) if (labels[label].support > 0) f1[label] = labels[label].f1;
  const support = {
    with_mask: labels.with_mask.support,
    without_mask: labels.without_mask.support,
    mask_worn_incorrectly: labels.mask_worn_incorrectly.support,
  };
  return { count, accuracy, macroF1, f1, support };
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  return Object.fromEntries([...groupBy(items, keyOf)].map(([key, part]) => [key, part.length]));
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
