import type { CropThresholds } from '../../src/crops/assess-crop.js';
import { MASK_LABELS, type MaskLabel } from '../../src/domain/label.js';
import type { LabelledPicture } from '../../src/training/dataset/picture.js';
import { byCropAlone, endToEnd } from '../../src/training/evaluation/figures.js';
import { type FaceRecord, judgePicture } from '../../src/training/evaluation/judge-pictures.js';
import type { Observation } from '../../src/training/evaluation/observe-picture.js';
import { rangeName } from '../../src/training/evaluation/slice-names.js';
import { wilsonInterval } from '../../src/training/metrics/bootstrap.js';
import { classificationMetrics } from '../../src/training/metrics/classification-metrics.js';

/** What is tried. */
export interface Limits {
  readonly sizePx: number;
  readonly scoreThreshold: number;
  readonly minFacePx: number;
  readonly minCertainty: number;
  readonly minFaceScore: number;
}

export interface SweepRow extends Limits {
  readonly f1: Readonly<Record<MaskLabel, number>>;
  readonly macroF1: number;
  readonly accuracy: number;
  /** Masked faces that were judged to be violations. */
  readonly wrongViolations: number;
  /** Boxes on no labelled face, and those of them that were judged to be violations. */
  readonly falseBoxes: number;
  readonly falseBoxViolations: number;
  readonly notFound: number;
  readonly notAssessable: number;
}

export function sweepRow(
  pictures: readonly LabelledPicture[],
  observations: readonly Observation[],
  limits: Limits,
  crop: CropThresholds,
): SweepRow {
  const judged = pictures.map((picture, index) =>
    judgePicture(picture, observations[index]!, {
      crop: { ...crop, minFacePx: limits.minFacePx },
      scoreThreshold: limits.scoreThreshold,
      minCertainty: limits.minCertainty,
      minFaceScore: limits.minFaceScore,
      analysedPx: limits.sizePx,
    }),
  );
  const faces = judged.flatMap((picture) => picture.faces);
  const read = faces.map(endToEnd(true));
  const { labels, macroF1, accuracy } = classificationMetrics(read);
  const unmatched = judged.flatMap((picture) => picture.unmatched);
  return {
    ...limits,
    f1: Object.fromEntries(MASK_LABELS.map((label) => [label, labels[label].f1])) as Record<
      MaskLabel,
      number
    >,
    macroF1,
    accuracy,
    wrongViolations: read.filter(({ labelled, judged: as }) => labelled === 0 && as !== null && as > 0)
      .length,
    falseBoxes: unmatched.length,
    falseBoxViolations: unmatched.filter(
      ({ outcome }) => outcome === 'without_mask' || outcome === 'mask_worn_incorrectly',
    ).length,
    notFound: faces.filter(({ isFound }) => !isFound).length,
    notAssessable: faces.filter(({ reason }) => reason !== null).length,
  };
}

const SIZE_LIMITS_PX = [8, 10, 12, 14, 16, 20, 24, 32];

/** Label given the box by the size of the face in the analysed picture, where `minFacePx` applies. */
export function sizeTable(
  pictures: readonly LabelledPicture[],
  observations: readonly Observation[],
  sizePx: number,
  crop: CropThresholds,
): string {
  const rules = { crop, scoreThreshold: 0.5, minCertainty: 0, analysedPx: sizePx };
  const bySize = new Map<string, FaceRecord[]>();
  const sized = pictures
    .flatMap((picture, index) => {
      const { width, height } = observations[index]!;
      const scale = Math.max(1, Math.max(width, height) / sizePx);
      return judgePicture(picture, observations[index]!, rules).faces.map((face) => ({
        face,
        px: face.facePx / scale,
      }));
    })
    .sort((a, b) => a.px - b.px);
  for (const { face, px } of sized) {
    const name = rangeName(px, SIZE_LIMITS_PX, ' px');
    bySize.set(name, [...(bySize.get(name) ?? []), face]);
  }
  const rows = [...bySize].map(([name, faces]) => {
    const read = faces.map(byCropAlone);
    const right = read.filter(({ labelled, judged }) => labelled === judged).length;
    const { low, high } = wilsonInterval(right, faces.length);
    const found = faces.filter(({ isFound }) => isFound).length;
    const masked = read.filter(({ labelled }) => labelled === 0);
    const wrong = masked.filter(({ judged }) => judged !== 0).length;
    return `| ${name} | ${faces.length} | ${found} | ${(right / faces.length).toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)}) | ${wrong} of ${masked.length} |`;
  });
  return `### Label given the box, by size of the face at ${sizePx} px\n\n| face | labelled | found at 0.5 | accuracy (95 %, Wilson) | masked judged violating |\n|---|---|---|---|---|\n${rows.join('\n')}\n\n`;
}

const KEYS = ['sizePx', 'scoreThreshold', 'minFacePx', 'minCertainty', 'minFaceScore'] as const;

/** Markdown: each limit alone changed, then the best of all within bounds on what must not rise. */
export function printTables(rows: readonly SweepRow[], inForce: Limits): string {
  const present = rows.find((row) => KEYS.every((key) => row[key] === inForce[key]));
  const parts: string[] = [];
  for (const key of KEYS)
    parts.push(
      `### ${key} alone\n\n${table(rows.filter((row) => KEYS.every((other) => other === key || row[other] === inForce[other])))}`,
    );
  const best = (from: readonly SweepRow[]) => from.toSorted((a, b) => b.macroF1 - a.macroF1).slice(0, 8);
  parts.push(`### Best macro-F1 of all\n\n${table(best(rows))}`);
  if (present) {
    const noWorse = rows.filter(
      (row) =>
        row.falseBoxViolations <= present.falseBoxViolations &&
        row.wrongViolations <= present.wrongViolations,
    );
    parts.push(`### Best with no more wrong violations than in force\n\n${table(best(noWorse))}`);
    const fewBoxes = rows.filter((row) => row.falseBoxes <= present.falseBoxes);
    parts.push(`### Best with no more false boxes than in force\n\n${table(best(fewBoxes))}`);
  }
  return `${parts.join('\n\n')}\n`;
}

function table(rows: readonly SweepRow[]): string {
  const head =
    '| size | score | face px | certainty | face score | F1 with | without | incorrect | macro-F1 | accuracy | not found | not assessable | masked judged violating | false boxes | … judged violating |';
  const lines = rows.map((row) =>
    [
      ...[row.sizePx, row.scoreThreshold, row.minFacePx, row.minCertainty, row.minFaceScore],
      ...MASK_LABELS.map((label) => row.f1[label].toFixed(3)),
      ...[row.macroF1.toFixed(3), row.accuracy.toFixed(3)],
      ...[row.notFound, row.notAssessable, row.wrongViolations, row.falseBoxes, row.falseBoxViolations],
    ].join(' | '),
  );
  return [head, `|${'---|'.repeat(15)}`, ...lines.map((line) => `| ${line} |`)].join('\n');
}
