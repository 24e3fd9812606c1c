import type { ClassificationMetrics, LabelMetrics } from '../metrics/classification-metrics.js';

/** Macro: every label that occurs counts the same. Weighted: by its support. */
export interface LabelAverages {
  readonly macro: LabelMetrics;
  readonly weighted: LabelMetrics;
}

/** As in scikit-learn's `classification_report`; labels without a sample are left out. */
export function labelAverages({ labels }: Pick<ClassificationMetrics, 'labels'>): LabelAverages {
  const rows = Object.values(labels).filter(({ support }) => support > 0);
  const total = rows.reduce((sum, { support }) => sum + support, 0);
  const mean = (weightOf: (row: LabelMetrics) => number): LabelMetrics => {
    const of = (key: 'precision' | 'recall' | 'f1') =>
      rows.reduce((sum, row) => sum + row[key] * weightOf(row), 0);
    return { precision: of('precision'), recall: of('recall'), f1: of('f1'), support: total };
  };
  return {
    macro: mean(() => 1 / rows.length),
    weighted: mean(({ support }) => support / total),
  };
}
