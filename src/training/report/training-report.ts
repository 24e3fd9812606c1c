import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { MaskLabel } from '../../domain/label.js';
import type { ClassificationMetrics } from '../metrics/classification-metrics.js';
import { confusionChart } from './confusion-chart.js';
import type { EpochFigures } from './epoch-figures.js';
import { escapeXml } from './escape-xml.js';
import { labelAverages } from './label-averages.js';
import { trainingCurves } from './line-chart.js';
import type { RunFacts } from './run-facts.js';

/** Figures of the kept model on one set. */
export interface ReportedSet {
  /** e.g. `validation part (used to choose the epoch)`. */
  readonly name: string;
  readonly metrics: ClassificationMetrics;
}

export interface TrainingReportInput {
  readonly model: string;
  readonly recipe: string;
  readonly description: string;
  readonly seed: number | string;
  readonly epochs: readonly EpochFigures[];
  readonly bestEpoch: number;
  /** e.g. `no better validation loss for 7 epochs`. */
  readonly stoppedBecause: string;
  readonly sets: readonly ReportedSet[];
  /** What was trained on, in words: data sets with counts. */
  readonly data: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly facts: RunFacts;
  /** Deviations from the recipe, warnings. */
  readonly notes?: readonly string[];
}

/** Pixels per CSS pixel of the pictures: sharp on paper and on dense screens. */
const PICTURE_DENSITY = 2;

/**
 * Writes `report.html` (readable without a network), `curves.svg` and `.png`, and for each set
 * `confusion-N.svg` and `.png` into `directory`, which is made.
 */
export async function writeTrainingReport(directory: string, input: TrainingReportInput): Promise<void> {
  await mkdir(directory, { recursive: true });
  const curves = trainingCurves(input.epochs, input.bestEpoch);
  await writePicture(directory, 'curves', curves);
  const confusions: string[] = [];
  for (const [index, { metrics }] of input.sets.entries()) {
    const svg = confusionChart(occurring(metrics));
    await writePicture(directory, `confusion-${index + 1}`, svg);
    confusions.push(svg);
  }
  await writeFile(join(directory, 'report.html'), html(input, curves, confusions));
}

async function writePicture(directory: string, name: string, svg: string): Promise<void> {
  await writeFile(join(directory, `${name}.svg`), svg);
  await sharp(Buffer.from(svg), { density: 72 * PICTURE_DENSITY })
    .png()
    .toFile(join(directory, `${name}.png`));
}

/** The confusion matrix without labels that neither occur nor were judged. */
function occurring({ confusion, labels }: ClassificationMetrics): {
  order: MaskLabel[];
  rows: number[][];
} {
  const kept = confusion.order.flatMap((label, i) =>
    labels[label].support > 0 || confusion.rows.some((row) => row[i]! > 0) ? [i] : [],
  );
  return {
    order: kept.map((i) => confusion.order[i]!),
    rows: kept.map((i) => kept.map((j) => confusion.rows[i]![j]!)),
  };
}

function html(input: TrainingReportInput, curves: string, confusions: readonly string[]): string {
  const { facts, notes = [] } = input;
  const table: [string, string][] = [
    ['recipe', input.recipe],
    ['seed', String(input.seed)],
    ...Object.entries(input.data),
    ['epochs', `${input.epochs.length}, epoch ${input.bestEpoch} kept; ${input.stoppedBecause}`],
    ['time taken', duration(input.seconds)],
    ['finished', facts.at],
    [
      'machine',
      `${facts.machine.cpu}, ${facts.machine.cores} cores, ${facts.machine.memoryGb} GB, ${facts.machine.platform}`,
    ],
    [
      'versions',
      Object.entries(facts.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
  ];
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Training of ${escapeXml(input.model)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1e23}
table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #ccd;padding:.25rem .6rem;text-align:right}
td:first-child,th:first-child{text-align:left}.facts td{text-align:left}svg{max-width:100%;height:auto}</style>
<h1>Training of ${escapeXml(input.model)}</h1>
<p>${escapeXml(input.description)}</p>
<table class="facts">${table.map((cells) => row(cells)).join('')}</table>
${notes.length > 0 ? `<ul>${notes.map((note) => `<li>${escapeXml(note)}</li>`).join('')}</ul>` : ''}
<h2>Curves</h2>
${curves}
${input.sets.map((set, i) => setSection(set, confusions[i]!)).join('\n')}
<h2>Epochs</h2>
<table>${row(['epoch', 'training loss', 'training accuracy', 'validation loss', 'validation accuracy', 'learning rate', 'seconds'], 'th')}
${input.epochs.map(epochRow).join('\n')}</table>
</html>
`;
}

function setSection({ name, metrics }: ReportedSet, confusion: string): string {
  const { macro, weighted } = labelAverages(metrics);
  const rows = [
    ...Object.entries(metrics.labels).filter(([, { support }]) => support > 0),
    ['macro average', macro] as const,
    ['weighted average', weighted] as const,
  ].map(([label, { precision, recall, f1, support }]) =>
    row([label, precision.toFixed(4), recall.toFixed(4), f1.toFixed(4), String(support)]),
  );
  const wrong = metrics.count - Math.round(metrics.accuracy * metrics.count);
  return `<h2>${escapeXml(name)}</h2>
<p>Accuracy <b>${metrics.accuracy.toFixed(4)}</b>: ${metrics.count - wrong} of ${metrics.count} right.</p>
<table>${row(['label', 'precision', 'recall', 'F1', 'support'], 'th')}${rows.join('')}</table>
${confusion}`;
}

function epochRow(figures: EpochFigures): string {
  const { epoch, trainingLoss, trainingAccuracy, validationLoss, validationAccuracy } = figures;
  return row([
    String(epoch),
    trainingLoss.toFixed(4),
    trainingAccuracy === null ? '–' : trainingAccuracy.toFixed(4),
    validationLoss.toFixed(4),
    validationAccuracy.toFixed(4),
    figures.learningRate.toExponential(2),
    figures.seconds.toFixed(1),
  ]);
}

function row(cells: readonly string[], tag: 'td' | 'th' = 'td'): string {
  return `<tr>${cells.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join('')}</tr>`;
}

/** `4 min 05 s`, `1 h 02 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
