import { escapeXml } from './escape-xml.js';

/** `rows[i][j]`: labelled `order[i]`, judged `order[j]`. */
export interface CountedConfusion {
  readonly order: readonly string[];
  readonly rows: readonly (readonly number[])[];
}

const CELL = 96;
const LEFT = 176;
const TOP = 78;

/** A confusion matrix as SVG: counts and the share of their row, the darker the larger the share. */
export function confusionChart({ order, rows }: CountedConfusion): string {
  const side = order.length * CELL;
  const width = LEFT + side + 16;
  const height = TOP + side + 16;
  const cells = rows.flatMap((row, i) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, j) => {
      const share = total === 0 ? 0 : count / total;
      const x = LEFT + j * CELL;
      const y = TOP + i * CELL;
      const ink = share > 0.55 ? '#fff' : '#1b1e23';
      return `<rect x="${x}" y="${y}" width="${CELL}" height="${CELL}" fill="#0072b2" fill-opacity="${(0.04 + 0.9 * share).toFixed(3)}" stroke="#fff"/>
<text x="${x + CELL / 2}" y="${y + CELL / 2 - 2}" text-anchor="middle" font-size="20" fill="${ink}">${count}</text>
<text x="${x + CELL / 2}" y="${y + CELL / 2 + 18}" text-anchor="middle" font-size="12" fill="${ink}">${(share * 100).toFixed(1)} %</text>`;
    });
  });
  const names = order.map((label, i) => {
    const [first, ...others] = label.split(/(?<=_worn_)/);
    const above = [first, ...others].map(
      (part, line, all) =>
        `<text x="${LEFT + (i + 0.5) * CELL}" y="${TOP - 8 - (all.length - 1 - line) * 14}" text-anchor="middle">${escapeXml(part!)}</text>`,
    );
    return `${above.join('')}<text x="${LEFT - 10}" y="${TOP + (i + 0.5) * CELL + 4}" text-anchor="end">${escapeXml(label)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="Confusion matrix, labelled by judged">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${LEFT + side / 2}" y="24" text-anchor="middle" font-weight="bold">judged</text>
<text transform="translate(18 ${TOP + side / 2}) rotate(-90)" text-anchor="middle" font-weight="bold">labelled</text>
${cells.join('\n')}
${names.join('\n')}
</svg>
`;
}
