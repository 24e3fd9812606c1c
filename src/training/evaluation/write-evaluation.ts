import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MASK_LABELS } from '../../domain/label.js';
import type { ConfusionMatrix } from '../metrics/classification-metrics.js';
import { contactSheet, worstErrors } from './contact-sheet.js';
import type { EvaluateReport } from './evaluation-report.js';
import type { JudgedPicture } from './judge-pictures.js';
import { reliabilitySvg } from './reliability-svg.js';

const WORST_COUNT = 64;

/**
 * Writes `report.json`, `report.html` (readable without a network), `reliability.svg` and, when anything was
 * wrong, `worst-errors.jpg` into `outDir`.
 */
export async function writeEvaluation(
  outDir: string,
  report: EvaluateReport,
  judged: readonly JudgedPicture[],
): Promise<void> {
  const worst = worstErrors(
    judged.flatMap(({ faces }) => faces),
    WORST_COUNT,
  );
  const svg = reliabilitySvg(report.reliability, report.ece);
  await writeFile(join(outDir, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(outDir, 'reliability.svg'), svg);
  if (worst.length > 0) await writeFile(join(outDir, 'worst-errors.jpg'), await contactSheet(worst));
  await writeFile(join(outDir, 'report.html'), htmlReport(report, svg, worst.length));
}

function htmlReport(report: EvaluateReport, svg: string, worstCount: number): string {
  const labelRows = MASK_LABELS.map((label) => {
    const { precision, recall, f1, support } = report.labels[label];
    return row([label, share(precision), share(recall), share(f1), String(support)]);
  });
  const sliceRows = Object.entries(report.slices).map(
    ([name, { count, accuracy, macroF1, f1, givenTheBox: byCrop }]) =>
      row([
        ...[name, String(count), share(accuracy), share(macroF1)],
        ...MASK_LABELS.map((l) => share(f1[l])),
        ...(report.givenTheBox ? [share(byCrop?.accuracy)] : []),
      ]),
  );
  const { notAssessable, detection, givenTheBox, twoLabels } = report;
  const lines = [
    `Not assessable: ${notAssessable.count} (${list(notAssessable.byReason)})`,
    ...(detection
      ? [
          `Faces found: ${list(detection.recallByLabel, share)}`,
          `Precision of the detector ${share(detection.precision)}, AP at IoU 0.5 ${share(detection.ap50)}`,
          `Detections on no labelled face: ${detection.unmatched.count} (${list(detection.unmatched.bySizePx)})`,
        ]
      : []),
    ...(givenTheBox
      ? [
          `Given the box: accuracy ${share(givenTheBox.accuracy)}, macro-F1 ${share(givenTheBox.macroF1)}, F1 ${MASK_LABELS.map((l) => `${l} ${share(givenTheBox.labels[l].f1)}`).join(', ')}`,
        ]
      : []),
    ...(twoLabels
      ? [`Two labels: ${twoLabels.right} of ${twoLabels.count} right (${share(twoLabels.accuracy)})`]
      : []),
  ];
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Evaluation of ${escapeHtml(report.model)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1b1e23}
table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #ccd;padding:.25rem .6rem;text-align:right}
td:first-child,th:first-child{text-align:left}img{max-width:100%}</style>
<h1>Evaluation of ${escapeHtml(report.model)}</h1>
<p>${escapeHtml(report.data)}: ${report.pictures} pictures, ${report.count} labelled faces.
Accuracy <b>${share(report.accuracy)}</b>, macro-F1 <b>${share(report.macroF1)}</b>, ECE <b>${report.ece.toFixed(3)}</b>.</p>
<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>
<table>${row(['label', 'precision', 'recall', 'F1', 'faces'], 'th')}${labelRows.join('')}</table>
<h2>Confusion matrix</h2>${confusionTable(report)}
<h2>Reliability</h2>${svg}
<h2>Slices</h2>
<table>${row(['slice', 'faces', 'accuracy', 'macro-F1', ...MASK_LABELS.map((l) => `F1 ${l}`), ...(report.givenTheBox ? ['accuracy given the box'] : [])], 'th')}${sliceRows.join('')}</table>
${worstCount > 0 ? `<h2>The ${worstCount} surest mistakes</h2><p>labelled → judged, score, shorter side of the face</p><img src="worst-errors.jpg" alt="Contact sheet of wrongly judged faces">` : ''}
</html>
`;
}

function confusionTable({
  confusion,
  labels,
}: {
  confusion: ConfusionMatrix;
  labels: EvaluateReport['labels'];
}): string {
  const rows = confusion.order.map((label, i) => {
    const counts = confusion.rows[i]!;
    const none = labels[label].support - counts.reduce((a, b) => a + b, 0);
    return row([label, ...counts.map(String), String(none)]);
  });
  const head = row(['labelled \\ judged', ...confusion.order, 'missed or not assessable'], 'th');
  return `<table>${head}${rows.join('')}</table>`;
}

function row(cells: readonly string[], tag: 'td' | 'th' = 'td'): string {
  return `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
}

function share(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : `${(value * 100).toFixed(1)} %`;
}

function list(counts: Readonly<Record<string, number>>, form: (value: number) => string = String): string {
  const entries = Object.entries(counts).map(([name, value]) => `${name} ${form(value)}`);
  return entries.length === 0 ? 'none' : entries.join(', ');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
