import type { Interval } from '../metrics/bootstrap.js';
import { escapeXml } from '../report/escape-xml.js';

/** A row of a table; the cells are text, not HTML. */
export function row(cells: readonly string[], tag: 'td' | 'th' = 'td'): string {
  return `<tr>${cells.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join('')}</tr>`;
}

/** A share in [0, 1] in per cent; a dash where there is none. */
export function share(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : `${(value * 100).toFixed(1)} %`;
}

/** ` (91.2–94.0)`, per cent; empty where there is no interval. */
export function within(interval: Interval | null | undefined): string {
  if (!interval || Number.isNaN(interval.low)) return '';
  return ` (${(interval.low * 100).toFixed(1)}–${(interval.high * 100).toFixed(1)})`;
}

/** `mask 3, bare 4`; `none` of nothing. */
export function list(
  counts: Readonly<Record<string, number>>,
  form: (value: number) => string = String,
): string {
  const entries = Object.entries(counts).map(([name, value]) => `${name} ${form(value)}`);
  return entries.length === 0 ? 'none' : entries.join(', ');
}
