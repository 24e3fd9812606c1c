import { escapeXml } from '../report/escape-xml.js';
import type { AlarmBudget } from './alarm-budget.js';
import type { CalibrationReport } from './calibration-report.js';
import type { ModelComparison, PairedFigure } from './model-comparison.js';
import { row, share, within } from './page-parts.js';

/** How far scores are from shares, and what a further calibration would make of it. */
export function calibrationSection(calibration: CalibrationReport): string {
  const { faces, ece, classwiseEce, logLoss, best } = calibration;
  const rows = [
    row(['as it is', ece.toFixed(4), logLoss.toFixed(4)]),
    ...(best
      ? [
          row([
            `with a further temperature (${best.temperature.value.toFixed(2)})`,
            best.temperature.ece.toFixed(4),
            best.temperature.logLoss.toFixed(4),
          ]),
          row([
            `with a temperature and a bias per label (${best.temperatureAndBias.temperature.toFixed(2)}; ${best.temperatureAndBias.bias.map((value) => value.toFixed(2)).join(', ')})`,
            best.temperatureAndBias.ece.toFixed(4),
            best.temperatureAndBias.logLoss.toFixed(4),
          ]),
        ]
      : []),
  ];
  const perLabel = Object.entries(classwiseEce).map(([label, value]) => `${label} ${value.toFixed(4)}`);
  return `<p>${faces} judged faces, 15 bins; ECE by label: ${perLabel.join(', ')}. ${best ? 'The further rows are fitted on one half of the pictures and measured on the other, both ways.' : ''}</p>
<table>${row(['calibration', 'ECE', 'log loss (nats)'], 'th')}${rows.join('')}</table>`;
}

/** What is to be expected of alarms at several thresholds. */
export function alarmSection({ rules, people, table, recommended, assumptions }: AlarmBudget): string {
  const perDay = (value: number) => value.toFixed(value < 10 ? 2 : 0);
  const rate = ({ value, low, high }: { value: number; low: number; high: number }) =>
    `${perDay(value)} (${perDay(low)}–${perDay(high)})`;
  const rows = table.map((at) =>
    row([
      `${at.openThreshold}${at.openThreshold === rules.openThreshold ? ' (in force)' : ''}`,
      rate(at.falseAlarmsPerCameraDay),
      rate(at.worstCasePerCameraDay),
      `${share(at.detectionRate.value)}${within(at.detectionRate)}`,
    ]),
  );
  const { openThreshold, openThresholdSure, provablePerCameraDay, budgetPerDay } = recommended;
  return `<h2>Alarm budget</h2>
<p>Wanted: at most ${budgetPerDay} false alarms per camera and day, with ${rules.tracksPerHour} masked people an hour, each ${rules.trackSeconds} s in view.
Lowest threshold that keeps to it: <b>${openThreshold ?? 'none'}</b>; also at the upper end of its interval: <b>${openThresholdSure ?? 'none'}</b>.
${people.masked} masked faces cannot prove less than ${perDay(provablePerCameraDay)} a day, even without any false alarm.</p>
<table>${row(['threshold to open', 'false alarms per camera and day', 'the same if all crops of a person fail together', 'people without a proper mask that are told'], 'th')}${rows.join('')}</table>
<ul>${assumptions.map((line) => `<li>${escapeXml(line)}</li>`).join('')}</ul>`;
}

/** Two models on the same crops, and the verdict of the gate. */
export function comparisonSection(comparison: ModelComparison): string {
  const { candidate, incumbent, mcnemar, gate, faces, pictures, leftOutPictures } = comparison;
  const figure = (name: string, { candidate: ours, incumbent: theirs, difference, interval }: PairedFigure) =>
    row([
      name,
      theirs.toFixed(4),
      ours.toFixed(4),
      `${signed(difference)} (${signed(interval.low)} to ${signed(interval.high)})`,
    ]);
  return `<h2>Against ${escapeXml(incumbent)}</h2>
<p>${faces} faces in ${pictures} pictures, judged by the crop alone${leftOutPictures > 0 ? `; ${leftOutPictures} pictures left out, which the other model may have been trained on` : ''}.</p>
<table>${row(['figure', incumbent, candidate, 'difference'], 'th')}${figure('accuracy', comparison.accuracy)}${figure('macro-F1', comparison.macroF1)}${Object.entries(
    comparison.labels,
  )
    .map(([label, paired]) => figure(`F1 ${label}`, paired))
    .join('')}${figure('ECE', comparison.ece)}</table>
<p>Right alone: ${escapeXml(candidate)} ${mcnemar.onlyCandidateRight}, ${escapeXml(incumbent)} ${mcnemar.onlyIncumbentRight}; McNemar p ${escapeXml(pValueText(mcnemar.pValue))}.
${gate.isBetter ? 'It passes the gate' : 'It does <b>not</b> pass the gate'}: ${escapeXml(gate.reasons.join('; '))}.</p>`;
}

function pValueText(value: number): string {
  return value < 0.0001 ? '< 0.0001' : value.toFixed(4);
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
}
