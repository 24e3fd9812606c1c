import { MASK_LABELS } from '../../domain/label.js';
import { describeCorrections } from '../dataset/correct-pictures.js';
import type { Interval } from '../metrics/bootstrap.js';
import { escapeXml } from '../report/escape-xml.js';
import type { EvaluateReport } from './evaluation-report.js';
import { alarmSection, calibrationSection, comparisonSection } from './evaluation-sections.js';
import { list, row, share, within } from './page-parts.js';

export interface PageContext {
  /** SVG text. */
  readonly reliability: string;
  /** Faces on `worst-errors.jpg`; 0 = there is no such file. */
  readonly worstCount: number;
  readonly hasSuspects: boolean;
}

/** A report for people, in HTML that needs no network; `worst-errors.jpg` and `suspects.html` lie beside it. */
export function evaluationPage(report: EvaluateReport, context: PageContext): string {
  const { worstCount, hasSuspects, reliability } = context;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Evaluation of ${escapeXml(report.model)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:84rem;margin:2rem auto;padding:0 1rem;color:#1b1e23}
table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #ccd;padding:.25rem .6rem;text-align:right}td{white-space:nowrap}
td:first-child,th:first-child{text-align:left}img{max-width:100%}small{color:#666c78}</style>
<h1>Evaluation of ${escapeXml(report.model)}</h1>
<p>${escapeXml(report.data)}: ${report.pictures} pictures, ${report.count} labelled faces.
Accuracy <b>${share(report.accuracy)}</b>${within(report.intervals?.accuracy)}, macro-F1 <b>${share(report.macroF1)}</b>${within(report.intervals?.macroF1)}, ECE <b>${report.ece.toFixed(3)}</b>.
<small>In brackets 95 % intervals, resampled by picture.</small></p>
<ul>${facts(report)
    .map((line) => `<li>${escapeXml(line)}</li>`)
    .join('')}</ul>
${hasSuspects ? '<p><a href="suspects.html">Labels to look at</a>: those that the model doubts most, and faces without a label.</p>' : ''}
${labelTable(report)}
<h2>Confusion matrix</h2>${confusionTable(report)}
<h2>Reliability</h2>${reliability}
${calibrationSection(report.calibration)}
<h2>Slices</h2>${sliceTable(report)}
${report.alarmBudget ? alarmSection(report.alarmBudget) : ''}
${report.comparison ? comparisonSection(report.comparison) : ''}
${worstCount > 0 ? `<h2>The ${worstCount} surest mistakes</h2><p>labelled → judged, score, shorter side of the face</p><img src="worst-errors.jpg" alt="Contact sheet of wrongly judged faces">` : ''}
</html>
`;
}

function facts(report: EvaluateReport): string[] {
  const { notAssessable, detection, givenTheBox, givenTheBoxMinPx, twoLabels, minFacePx, tags } = report;
  const figures = ({ accuracy, macroF1, labels }: NonNullable<typeof givenTheBox>) =>
    `accuracy ${share(accuracy)}, macro-F1 ${share(macroF1)}, F1 ${MASK_LABELS.map((l) => `${l} ${share(labels[l].f1)}`).join(', ')}`;
  return [
    ...describeCorrections(report.corrections),
    ...(tags ? [`tags: ${tags.lines} lines, ${tags.unfit} of them fit no judged face`] : []),
    ...(minFacePx
      ? [
          `Not counted: ${minFacePx.leftOut} faces under ${minFacePx.px} px at a width of ${minFacePx.atWidthPx} px`,
        ]
      : []),
    `Not assessable: ${notAssessable.count} (${list(notAssessable.byReason)})`,
    ...(detection
      ? [
          `Faces found: ${list(detection.recallByLabel, share)}`,
          `Of those from ${detection.recallByLabelMinPx.px} px on at a width of ${detection.recallByLabelMinPx.atWidthPx} px: ${list(detection.recallByLabelMinPx.recallByLabel, share)}`,
          `Precision of the detector ${share(detection.precision)}, AP at IoU 0.5 ${share(detection.ap50)}`,
          `Detections on no labelled face: ${detection.unmatched.count} (${list(detection.unmatched.bySizePx)})`,
        ]
      : []),
    ...(givenTheBox ? [`Given the box: ${figures(givenTheBox)}`] : []),
    ...(givenTheBoxMinPx
      ? [
          `Given the box, from ${givenTheBoxMinPx.px} px on at a width of ${givenTheBoxMinPx.atWidthPx} px: ${figures(givenTheBoxMinPx)}`,
        ]
      : []),
    ...(twoLabels
      ? [`Two labels: ${twoLabels.right} of ${twoLabels.count} right (${share(twoLabels.accuracy)})`]
      : []),
  ];
}

function labelTable({ labels, intervals }: EvaluateReport): string {
  const rows = MASK_LABELS.map((label) => {
    const { precision, recall, f1, support } = labels[label];
    const ends = intervals?.labels[label];
    const cell = (value: number, interval: Interval | undefined) => `${share(value)}${within(interval)}`;
    return row([
      label,
      cell(precision, ends?.precision),
      cell(recall, ends?.recall),
      cell(f1, ends?.f1),
      String(support),
    ]);
  });
  return `<table>${row(['label', 'precision', 'recall', 'F1', 'faces'], 'th')}${rows.join('')}</table>`;
}

function confusionTable({ confusion, labels }: EvaluateReport): string {
  const rows = confusion.order.map((label, i) => {
    const counts = confusion.rows[i]!;
    const none = labels[label].support - counts.reduce((a, b) => a + b, 0);
    return row([label, ...counts.map(String), String(none)]);
  });
  const head = row(['labelled \\ judged', ...confusion.order, 'missed or not assessable'], 'th');
  return `<table>${head}${rows.join('')}</table>`;
}

function sliceTable({ slices, givenTheBox }: EvaluateReport): string {
  const rows = Object.entries(slices).map(
    ([name, { count, accuracy, macroF1, f1, intervals, givenTheBox: byCrop }]) =>
      row([
        name,
        String(count),
        `${share(accuracy)}${within(intervals?.accuracy)}`,
        `${share(macroF1)}${within(intervals?.macroF1)}`,
        ...MASK_LABELS.map((label) => share(f1[label])),
        ...(givenTheBox ? [share(byCrop?.accuracy)] : []),
      ]),
  );
  const head = [
    'slice',
    'faces',
    'accuracy',
    'macro-F1',
    ...MASK_LABELS.map((label) => `F1 ${label}`),
    ...(givenTheBox ? ['accuracy given the box'] : []),
  ];
  return `<table>${row(head, 'th')}${rows.join('')}</table>`;
}
