import { MASK_LABELS, type MaskLabel } from '../../domain/label.js';

export interface LabelMetrics {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Labelled faces. */
  readonly support: number;
}

export interface ClassificationMetrics {
  readonly count: number;
  readonly accuracy: number;
  readonly labels: Readonly<Record<MaskLabel, LabelMetrics>>;
  /** Mean F1 of the labels that occur. */
  readonly macroF1: number;
  readonly confusion: ConfusionMatrix;
}

/** `rows[i][j]`: labelled `order[i]`, judged `order[j]`. */
export interface ConfusionMatrix {
  readonly order: readonly MaskLabel[];
  readonly rows: readonly (readonly number[])[];
}

/** One judged face: indices into `MASK_LABELS`; `judged` null when it was not found or not judged. */
export interface JudgedFace {
  readonly labelled: number;
  readonly judged: number | null;
}

/**
 * Precision, recall and F1 per label. A face without a judgement is a miss of its label (it lowers recall) and
 * no false alarm of another. A ratio over nothing is 0.
 */
export function classificationMetrics(faces: readonly JudgedFace[]): ClassificationMetrics {
  const rows = MASK_LABELS.map(() => MASK_LABELS.map(() => 0));
  const support = MASK_LABELS.map(() => 0);
  for (const { labelled, judged } of faces) {
    support[labelled]!++;
    if (judged !== null) rows[labelled]![judged]!++;
  }
  return metricsFromCounts(rows, support);
}

/** As {@link classificationMetrics}, from counts: `rows[i][j]` labelled i and judged j, `support[i]` labelled i. */
export function metricsFromCounts(
  rows: readonly (readonly number[])[],
  support: readonly number[],
): ClassificationMetrics {
  const count = support.reduce((sum, value) => sum + value, 0);
  const labels = MASK_LABELS.map((_, i) => {
    const right = rows[i]![i]!;
    const judgedSo = rows.reduce((sum, row) => sum + row[i]!, 0);
    const precision = ratio(right, judgedSo);
    const recall = ratio(right, support[i]!);
    return {
      precision,
      recall,
      f1: ratio(2 * precision * recall, precision + recall),
      support: support[i]!,
    };
  });
  const occurring = labels.filter((label) => label.support > 0);
  return {
    count,
    accuracy: ratio(
      MASK_LABELS.reduce((sum, _, i) => sum + rows[i]![i]!, 0),
      count,
    ),
    labels: {
      with_mask: labels[0]!,
      without_mask: labels[1]!,
      mask_worn_incorrectly: labels[2]!,
    },
    macroF1: ratio(
      occurring.reduce((sum, label) => sum + label.f1, 0),
      occurring.length,
    ),
    confusion: { order: MASK_LABELS, rows },
  };
}

export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
