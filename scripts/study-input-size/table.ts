import { MASK_LABELS } from '../../src/domain/label.js';
import type { EvaluateReport } from '../../src/training/evaluation/evaluation-report.js';
import type { FormTimes } from './time-in-turns.js';

export interface StudiedForm extends FormTimes {
  readonly inputPx: number;
  readonly width: number;
  readonly epochs: number;
  readonly report: EvaluateReport;
}

const SIZE_SLICES = [
  'face under 16 px',
  'face 16 to 24 px',
  'face 24 to 32 px',
  'face 32 to 48 px',
  'face 48 to 96 px',
  'face 96 px and more',
] as const;

/** The study as a Markdown table; accuracy by face size, since a slice has too few of some labels for an F1. */
export function studyTable(forms: readonly StudiedForm[]): string {
  const head = [
    'input',
    'width',
    'macro-F1',
    ...MASK_LABELS.map((label) => `F1 ${label}`),
    ...SIZE_SLICES.map((slice) => slice.replace('face ', '')),
    'ms alone',
    'ms of 8',
  ];
  const rows = forms.map(({ inputPx, width, report, msAlone, msOfEight }) => {
    const { macroF1, labels } = report.givenTheBox!;
    return [
      `${inputPx} px`,
      String(width),
      macroF1.toFixed(3),
      ...MASK_LABELS.map((label) => labels[label].f1.toFixed(3)),
      ...SIZE_SLICES.map((slice) => report.slices[slice]?.givenTheBox?.accuracy.toFixed(3) ?? '–'),
      msAlone.toFixed(2),
      msOfEight.toFixed(2),
    ];
  });
  return `${[head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`;
}
