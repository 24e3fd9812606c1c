import type { ReliabilityBin } from '../metrics/calibration.js';

const SIDE = 260;
const MARGIN = 44;

/** Reliability diagram as SVG text: accuracy against score, one bar a bin, the dashed line is perfect. */
export function reliabilitySvg(bins: readonly ReliabilityBin[], ece: number): string {
  const x = (value: number) => MARGIN + value * SIDE;
  const y = (value: number) => 12 + (1 - value) * SIDE;
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const bars = bins
    .filter(({ count }) => count > 0)
    .map(({ from, to, accuracy, meanScore, count }) => {
      const opacity = (0.25 + 0.75 * Math.sqrt(count / most)).toFixed(2);
      return `<rect x="${x(from) + 1}" y="${y(accuracy)}" width="${x(to) - x(from) - 2}" height="${y(0) - y(accuracy)}" fill="#2b7bb9" fill-opacity="${opacity}"><title>${count} faces, mean score ${meanScore.toFixed(3)}, right ${accuracy.toFixed(3)}</title></rect>
<circle cx="${x(meanScore)}" cy="${y(accuracy)}" r="3" fill="#b3400f"/>`;
    });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (value) =>
      `<text x="${x(value)}" y="${y(0) + 16}" text-anchor="middle">${value}</text><text x="${MARGIN - 6}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  );
  const width = SIDE + MARGIN + 16;
  const height = SIDE + 52;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" role="img" aria-label="Reliability diagram, expected calibration error ${ece.toFixed(3)}">
<rect width="${width}" height="${height}" fill="#fff"/>
${bars.join('\n')}
<line x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}" stroke="#666" stroke-dasharray="4 3"/>
<rect x="${x(0)}" y="${y(1)}" width="${SIDE}" height="${SIDE}" fill="none" stroke="#444"/>
${ticks.join('')}
<text x="${x(0.5)}" y="${y(0) + 34}" text-anchor="middle">score of the judged label · ECE ${ece.toFixed(3)}</text>
<text transform="translate(11 ${y(0.5)}) rotate(-90)" text-anchor="middle">share that was right</text>
</svg>
`;
}
