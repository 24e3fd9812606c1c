import { MASK_LABELS } from '../domain/label.js';
import type { EvaluateReport } from '../training/evaluate.js';
import { printLine } from './output.js';

/** The most important figures of an evaluation, for people. */
export function printSummary(report: EvaluateReport): void {
  const share = (value: number) => `${(value * 100).toFixed(1)} %`;
  printLine(`${report.model} on ${report.data}: ${report.count} faces in ${report.pictures} pictures`);
  printLine(
    `accuracy ${share(report.accuracy)}, macro-F1 ${report.macroF1.toFixed(3)}, ECE ${report.ece.toFixed(3)}`,
  );
  for (const label of MASK_LABELS) {
    const { precision, recall, f1, support } = report.labels[label];
    if (support > 0)
      printLine(
        `  ${label.padEnd(22)} precision ${share(precision)}  recall ${share(recall)}  F1 ${f1.toFixed(3)}  (${support})`,
      );
  }
  if (report.givenTheBox)
    printLine(
      `given the box: accuracy ${share(report.givenTheBox.accuracy)}, macro-F1 ${report.givenTheBox.macroF1.toFixed(3)}, F1 ${MASK_LABELS.map((label) => report.givenTheBox!.labels[label].f1.toFixed(3)).join(' / ')}`,
    );
  if (report.twoLabels) printLine(`two labels: ${report.twoLabels.right} of ${report.twoLabels.count} right`);
  if (report.comparison) {
    const { candidate, incumbent, mcnemar, gate } = report.comparison;
    printLine(
      `${candidate} against ${incumbent}: right alone ${mcnemar.onlyCandidateRight} : ${mcnemar.onlyIncumbentRight} (McNemar p ${mcnemar.pValue.toFixed(4)}); ${gate.isBetter ? 'passes' : 'does not pass'} the gate`,
    );
    for (const reason of gate.reasons) printLine(`  ${reason}`);
  }
  if (report.notAssessable.count > 0) printLine(`not assessable: ${report.notAssessable.count}`);
}
