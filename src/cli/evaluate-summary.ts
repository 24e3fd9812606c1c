import { MASK_LABELS } from '../domain/label.js';
import type { EvaluateReport } from '../training/evaluate.js';
import type { Interval } from '../training/metrics/bootstrap.js';
import { printLine } from './output.js';

/** The most important figures of an evaluation, for people. */
export function printSummary(report: EvaluateReport): void {
  const share = (value: number) => `${(value * 100).toFixed(1)} %`;
  const within = (interval: Interval | undefined, digits: number, factor = 1) =>
    interval
      ? ` (${(interval.low * factor).toFixed(digits)}–${(interval.high * factor).toFixed(digits)})`
      : '';
  const { intervals } = report;
  printLine(`${report.model} on ${report.data}: ${report.count} faces in ${report.pictures} pictures`);
  printLine(
    `accuracy ${share(report.accuracy)}${within(intervals?.accuracy, 1, 100)}, macro-F1 ${report.macroF1.toFixed(3)}${within(intervals?.macroF1, 3)}, ECE ${report.ece.toFixed(3)}${within(intervals?.ece, 3)}; in brackets 95 %, by picture`,
  );
  for (const label of MASK_LABELS) {
    const { precision, recall, f1, support } = report.labels[label];
    if (support > 0)
      printLine(
        `  ${label.padEnd(22)} precision ${share(precision)}  recall ${share(recall)}  F1 ${f1.toFixed(3)}${within(intervals?.labels[label]?.f1, 3)}  ${support} faces`,
      );
  }
  if (report.givenTheBox)
    printLine(
      `given the box: accuracy ${share(report.givenTheBox.accuracy)}, macro-F1 ${report.givenTheBox.macroF1.toFixed(3)}, F1 ${MASK_LABELS.map((label) => report.givenTheBox!.labels[label].f1.toFixed(3)).join(' / ')}`,
    );
  if (report.twoLabels) printLine(`two labels: ${report.twoLabels.right} of ${report.twoLabels.count} right`);
  if (report.alarmBudget) {
    const { rules, table, recommended } = report.alarmBudget;
    const inForce = table.find(({ openThreshold }) => openThreshold === rules.openThreshold);
    if (inForce)
      printLine(
        `alarms at the threshold in force (${rules.openThreshold}): ${inForce.falseAlarmsPerCameraDay.value.toFixed(1)}${within(inForce.falseAlarmsPerCameraDay, 1)} false ones per camera and day, ${share(inForce.detectionRate.value)} of the people without a proper mask told; lowest threshold for ${recommended.budgetPerDay} a day: ${recommended.openThreshold ?? 'none'}`,
      );
  }
  if (report.comparison) {
    const { candidate, incumbent, mcnemar, gate } = report.comparison;
    printLine(
      `${candidate} against ${incumbent}: right alone ${mcnemar.onlyCandidateRight} : ${mcnemar.onlyIncumbentRight} (McNemar p ${mcnemar.pValue.toFixed(4)}); ${gate.isBetter ? 'passes' : 'does not pass'} the gate`,
    );
    for (const reason of gate.reasons) printLine(`  ${reason}`);
  }
  if (report.notAssessable.count > 0) printLine(`not assessable: ${report.notAssessable.count}`);
}
