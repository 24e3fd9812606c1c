import { tenth } from '../../lib/rounding.js';
import type { EpochFigures } from './epoch-figures.js';
import { escapeXml } from './escape-xml.js';

export interface Series {
  readonly name: string;
  readonly colour: string;
  /** In rising order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly series: readonly Series[];
  /** Lowest and highest y; found from the points where absent. */
  readonly range?: readonly [low: number, high: number];
  /** A vertical line, e.g. the best epoch. */
  readonly mark?: { readonly x: number; readonly name: string };
}

const WIDTH = 460;
const HEIGHT = 320;
const LEFT = 62;
const RIGHT = 16;
const TOP = 56;
const BOTTOM = 48;
const GAP = 12;

/** Blue and vermilion of Okabe and Ito (2008): told apart with every kind of colour vision. */
export const SERIES_COLOURS = { training: '#0072b2', validation: '#d55e00' } as const;

/** Charts side by side as one SVG; needs nothing beside it. */
export function lineCharts(panels: readonly Panel[], description: string): string {
  const width = panels.length * WIDTH + (panels.length - 1) * GAP;
  const parts = panels.map(
    (panel, i) => `<g transform="translate(${i * (WIDTH + GAP)} 0)">${drawPanel(panel)}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img" aria-label="${escapeXml(description)}">
<rect width="${width}" height="${HEIGHT}" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}

/** Curves of loss and accuracy per epoch, the best epoch marked. */
export function trainingCurves(epochs: readonly EpochFigures[], bestEpoch: number): string {
  const series = (
    name: keyof typeof SERIES_COLOURS,
    pick: (figures: EpochFigures) => number | null,
  ): Series => ({
    name,
    colour: SERIES_COLOURS[name],
    points: epochs.flatMap((figures) => {
      const value = pick(figures);
      return value === null || !Number.isFinite(value) ? [] : [[figures.epoch, value] as const];
    }),
  });
  const mark = { x: bestEpoch, name: `epoch ${bestEpoch} kept` };
  return lineCharts(
    [
      {
        title: 'Loss',
        xLabel: 'epoch',
        series: [series('training', (e) => e.trainingLoss), series('validation', (e) => e.validationLoss)],
        mark,
      },
      {
        title: 'Accuracy',
        xLabel: 'epoch',
        series: [
          series('training', (e) => e.trainingAccuracy),
          series('validation', (e) => e.validationAccuracy),
        ],
        mark,
      },
    ],
    `Loss and accuracy over ${epochs.length} epochs; epoch ${bestEpoch} kept`,
  );
}

/** Round numbers that cover low … high with about `count` steps: 1, 2 or 5 times a power of ten apart. */
export function niceTicks(low: number, high: number, count: number): number[] {
  const span = high > low ? high - low : Math.abs(low) || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= rough * 0.999)!;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function drawPanel({ title, xLabel, series, range, mark }: Panel): string {
  const points = series.flatMap((one) => one.points);
  const ys = points.map(([, y]) => y);
  const xs = points.map(([x]) => x);
  const yTicks = niceTicks(range?.[0] ?? Math.min(...ys, 1), range?.[1] ?? Math.max(...ys, 0), 5);
  const [yLow, yHigh] = [yTicks[0]!, yTicks.at(-1)!];
  const xLow = Math.min(...xs, mark?.x ?? 1);
  const xHigh = Math.max(...xs, xLow + 1);
  const xTicks = niceTicks(xLow, xHigh, 8).filter((x) => Number.isInteger(x) && x >= xLow && x <= xHigh);
  const x = (value: number) => tenth(LEFT + ((value - xLow) / (xHigh - xLow)) * (WIDTH - LEFT - RIGHT));
  const y = (value: number) =>
    tenth(HEIGHT - BOTTOM - ((value - yLow) / (yHigh - yLow)) * (HEIGHT - TOP - BOTTOM));
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const decimals = Math.max(0, ...yTicks.map((tick) => (String(tick).split('.')[1] ?? '').length));
  const grid = yTicks.map(
    (tick) =>
      `<line x1="${LEFT}" y1="${y(tick)}" x2="${right}" y2="${y(tick)}" stroke="#e3e5e8"/><text x="${LEFT - 8}" y="${y(tick) + 4}" text-anchor="end">${tick.toFixed(decimals)}</text>`,
  );
  const columns = xTicks.map(
    (tick) =>
      `<line x1="${x(tick)}" y1="${bottom}" x2="${x(tick)}" y2="${bottom + 4}" stroke="#444"/><text x="${x(tick)}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`,
  );
  const marked = mark
    ? `<line x1="${x(mark.x)}" y1="${TOP}" x2="${x(mark.x)}" y2="${bottom}" stroke="#666" stroke-dasharray="4 3"/>`
    : '';
  const lines = series
    .filter((one) => one.points.length > 0)
    .map(({ points: own, colour }) => {
      const path = own.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${x(px)} ${y(py)}`).join('');
      const dots = own.map(([px, py]) => `<circle cx="${x(px)}" cy="${y(py)}" r="2.5" fill="${colour}"/>`);
      return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`;
    });
  const named = [
    ...series.filter((one) => one.points.length > 0).map(({ name, colour }) => ({ name, colour, dash: '' })),
    ...(mark ? [{ name: mark.name, colour: '#666', dash: ' stroke-dasharray="4 3"' }] : []),
  ];
  const legend = named.map(
    ({ name, colour, dash }, i) =>
      `<g transform="translate(${LEFT + i * 118} 40)"><line x1="0" y1="0" x2="20" y2="0" stroke="${colour}" stroke-width="2"${dash}/><text x="26" y="4">${escapeXml(name)}</text></g>`,
  );
  return `<text x="${LEFT}" y="20" font-size="15" font-weight="bold">${escapeXml(title)}</text>
${legend.join('')}
${grid.join('')}
${columns.join('')}
<path d="M${LEFT} ${TOP}V${bottom}H${right}" fill="none" stroke="#444"/>
${marked}
${lines.join('\n')}
<text x="${(LEFT + right) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escapeXml(xLabel)}</text>`;
}
