import type { ProbeReport } from '../probe/probe-report.js';
import { printLine } from './output.js';

/** One report for people: what is known, line by line, then what to do. */
export function printReport(report: ProbeReport): void {
  for (const line of reportLines(report)) printLine(line);
}

/** Many reports for people: a line each, then what to do about each. */
export function printTable(reports: readonly ProbeReport[]): void {
  for (const line of tableLines(reports)) printLine(line);
}

export function reportLines(report: ProbeReport): string[] {
  const rows: [string, string][] = [['address', report.url]];
  if (report.codec !== null) rows.push(['stream', streamWords(report)]);
  if (report.firstFrameMs !== null) {
    rows.push(
      ['transport', report.transport ?? ''],
      ['first picture', `after ${report.firstFrameMs} ms`],
      ['keyframes', keyframeWords(report)],
      ['faces', faceWords(report)],
    );
    if (report.faces.count > 0)
      rows.push(
        ['angle', angleWords(report)],
        ['light', `faces ${report.light.faceLuma}, picture ${report.light.pictureLuma} of 255`],
        ['sharpness', `${report.sharpness}`],
      );
    else rows.push(['light', `picture ${report.light.pictureLuma ?? '?'} of 255`]);
    rows.push(['placement', scoreWords(report)]);
  }
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return [...rows.map(([name, value]) => `${name.padEnd(width)}${value}`), ...remarks(report)];
}

export function tableLines(reports: readonly ProbeReport[]): string[] {
  const head = ['camera', 'result', 'stream', 'via', 'first picture', 'keyframes', 'faces', 'placement'];
  const rows = reports.map((report) =>
    report.firstFrameMs === null
      ? [report.cameraId ?? report.url, resultWords(report), ...NOTHING]
      : [
          report.cameraId ?? report.url,
          resultWords(report),
          streamWords(report),
          report.transport ?? '–',
          `${report.firstFrameMs} ms`,
          keyframeWords(report),
          faceWords(report),
          scoreWords(report),
        ],
  );
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  const more = reports.flatMap((report) => {
    const said = remarks(report);
    return said.length === 0 ? [] : ['', `${report.cameraId ?? report.url}`, ...said];
  });
  return [line(head), ...rows.map(line), ...more];
}

const NOTHING = ['–', '–', '–', '–', '–', '–'];

/** What is wrong and what to do, a line each. */
function remarks({ error, warnings, placement }: ProbeReport): string[] {
  return [
    ...(error ? [`  ${error.message}`, `  hint: ${error.hint}`] : []),
    ...warnings.map((warning) => `  ! ${warning}`),
    ...placement.advice.map((advice) => `  - ${advice}`),
  ];
}

function resultWords({ error }: ProbeReport): string {
  return error ? error.reason.replaceAll('_', ' ') : 'ok';
}

function streamWords({ codec, width, height, rateFps, bitrateKbps }: ProbeReport): string {
  const rate = rateFps === null ? '' : `, ${rateFps} fps`;
  const bits = bitrateKbps === null ? '' : `, ${bitrateKbps} kbit/s`;
  return `${codec} ${width}x${height}${rate}${bits}`;
}

function keyframeWords({ keyframeIntervalMs }: ProbeReport): string {
  return keyframeIntervalMs === null ? 'not known' : `every ${(keyframeIntervalMs / 1000).toFixed(1)} s`;
}

function faceWords({ faces: { count, widthPx } }: ProbeReport): string {
  if (count === 0 || widthPx.median === null) return 'none';
  const range = count === 1 ? '' : ` (${Math.round(widthPx.min)} to ${Math.round(widthPx.max)})`;
  return `${count}, ${Math.round(widthPx.median)} px wide${range}`;
}

function angleWords({ angle: { yawDegrees, pitchDegrees } }: ProbeReport): string {
  const pitch = pitchDegrees ?? 0;
  return `about ${yawDegrees}° to the side, ${Math.abs(pitch)}° from ${pitch < 0 ? 'below' : 'above'}`;
}

function scoreWords({ placement: { score } }: ProbeReport): string {
  return score === null ? 'nobody seen' : `${score} of 100`;
}
