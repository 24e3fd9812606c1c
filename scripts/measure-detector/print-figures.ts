import type { DetectionFigures, Share } from '../../src/training/detector/detection-figures.js';
import type { FalseBoxes } from '../../src/training/detector/measure-detector.js';

const percent = ({ found, of }: Share) => `${((100 * found) / Math.max(1, of)).toFixed(1)}`;

/** One line a threshold; shares in per cent. */
export function printFigures(figures: readonly DetectionFigures[], falseBoxes: readonly FalseBoxes[]): void {
  const [first] = figures;
  if (!first) return;
  const sizes = Object.keys(first.bySize).sort((a, b) => Number(a) - Number(b));
  const rows = figures.map((figure, index) => [
    figure.scoreThreshold.toFixed(2),
    ...Object.values(figure.byLabel).map(percent),
    ...sizes.map((size) => percent(figure.bySize[size]!)),
    ...sizes.map((size) => percent(figure.bareBySize[size]!)),
    percent(figure.smaller),
    figure.extraPer100.toFixed(1),
    `${figure.notFaces.found}/${figure.notFaces.of}`,
    (falseBoxes[index]?.per100 ?? 0).toFixed(2),
    figure.referenceIou.toFixed(3),
    figure.landmarkError.toFixed(4),
  ]);
  const { with_mask: masked, without_mask: bare, mask_worn_incorrectly: wrong } = first.byLabel;
  const title = [
    'score',
    `masked (${masked.of})`,
    `bare (${bare.of})`,
    `wrong (${wrong.of})`,
    ...sizes.map((size) => `≥${size} (${first.bySize[size]!.of})`),
    ...sizes.map((size) => `bare ≥${size} (${first.bareBySize[size]!.of})`),
    `<${sizes[0]} (${first.smaller.of})`,
    'extra/100',
    'not faces',
    `false/100 (${falseBoxes[0]?.regions ?? 0})`,
    'IoU',
    'landmarks',
  ];
  const widths = title.map((text, column) =>
    Math.max(text.length, ...rows.map((row) => row[column]!.length)),
  );
  for (const row of [title, ...rows])
    process.stdout.write(`${row.map((cell, column) => cell.padStart(widths[column]!)).join('  ')}\n`);
}
