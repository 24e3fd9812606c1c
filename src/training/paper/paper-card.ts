import type { CardEvaluation } from '../report/fine-tune-card.js';
import { duration } from '../report/training-report.js';
import type { PaperReport, PaperSeedReport } from './paper-report.js';

export interface PaperCardSources {
  /** Reports of other recipes on the same pictures, to hold this one against. */
  readonly others?: readonly Omit<PaperReport, 'epochs'>[];
  /** What `maskwatch evaluate` says of the shipped files. */
  readonly evaluations?: readonly CardEvaluation[];
}

/** The model card of a paper model, made of its training report, and of further reports and evaluations. */
export function paperCard(
  report: PaperReport,
  { others = [], evaluations = [] }: PaperCardSources = {},
): string {
  const { recipe, data, storedWeights } = report;
  const shipped = report.seeds.find(({ seed }) => seed === report.shippedSeed)!;
  const counts = (part: Readonly<Record<string, number>>) =>
    Object.entries(part)
      .map(([label, count]) => `${count} ${label}`)
      .join(', ');
  return `# ${report.model}

${recipe.description}. It is here to reproduce the paper, as a floor for every other model; the product does not use it. The whole recipe and every epoch stand in \`training.json\`.

- Input: \`pixels\`, uint8 RGB, batch × ${recipe.inputPx} × ${recipe.inputPx} × 3: a portrait brought to a square, bicubic.
- Output: \`scores\`, batch × ${recipe.labels.length}: ${recipe.labels.join(', ')}; together 1, not calibrated. It does not tell masks that are worn incorrectly.
- Licence: Apache-2.0, the frozen part's too (\`models/imagenet-mobilenetv2\`). The paper's pictures name no licence; none of them is here.

## Data

| part | pictures |
|---|---|
| training | ${counts(data.train)} |
| validation | ${counts(data.validation)} |

Both from the paper's repository (maritabrichan/Face-Mask-Detection-MobileNetV2). Near twins of a training picture among the validation pictures: ${data.twinsAcross.length}.

## Figures

On the ${shipped.validation.count} validation pictures. As in the paper, the epoch is chosen on these very pictures, which flatters; the last columns choose it on ${Math.round(recipe.heldOutShare * 100)} % of the training pictures instead. Intervals: 95 %, Wilson. The paper reports 98.69 % (302 of 306) of one run.
${[report, ...others].map(seedTable).join('')}
The files here are those of \`${recipe.name}\`, seed ${report.shippedSeed}, of all its seeds the one with the lowest validation loss: its own figure flatters once more, the median is what to expect. Stored in fewer bits its scores move by ${storedWeights.largestDifference.toExponential(1)} at the most; ${storedWeights.otherLabels} pictures change their label.

Wrong with seed ${report.shippedSeed}: ${shipped.validation.mistakes.map(({ file, labelled }) => `${file} (${labelled})`).join(', ') || 'none'}.

${evaluations.map(evaluationTable).join('\n')}
## Where it is not what the paper did

${report.deviations.map((text) => `- ${text}`).join('\n')}

## What it is not for

- Scenes: it has seen one person a picture, near and mostly from the front. On faces cut out of scenes its figures do not hold.
- Telling whether a mask is worn properly: the nose may be out.
- Deciding about people on its own; see the product's outcomes and operator verdicts.
`;
}

function seedTable(report: Omit<PaperReport, 'epochs'>): string {
  const { recipe, seeds, asInThePaper, chosenOnHeldOutPart, facts } = report;
  return `
### Recipe \`${recipe.name}\`

${recipe.description}. \`${report.command} --data DATA/paper\`, ${recipe.optimisation.maxEpochs} epochs at the most; ${duration(report.seconds)} in the epochs (features from the cache) on ${facts.machine.cpu}, ${facts.machine.cores} cores, ${facts.versions['training backend']}.

| seed | epoch | right | accuracy | wrong | epoch, chosen on a part | right | accuracy |
|---|---|---|---|---|---|---|---|
${seeds.map(seedRow).join('\n')}

Median ${percent(asInThePaper.medianAccuracy)}, fewest errors ${asInThePaper.fewestErrors}, most ${asInThePaper.mostErrors}; chosen on a part: median ${percent(chosenOnHeldOutPart.medianAccuracy)}, fewest errors ${chosenOnHeldOutPart.fewestErrors}, most ${chosenOnHeldOutPart.mostErrors}.
`;
}

function evaluationTable({ title, command, report }: CardEvaluation): string {
  const rows = Object.entries(report.labels)
    .filter(([, { support }]) => support > 0)
    .map(
      ([label, { precision, recall, f1, support }]) =>
        `| ${label} | ${precision.toFixed(4)} | ${recall.toFixed(4)} | ${f1.toFixed(4)} | ${support} |`,
    );
  const right = Math.round(report.accuracy * report.count);
  return `### ${title}

\`${command}\`: ${right} of ${report.count} right (${percent(report.accuracy)}), macro-F1 ${report.macroF1.toFixed(4)}, ECE ${report.ece.toFixed(4)}.

| label | precision | recall | F1 | pictures |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

function seedRow({ seed, bestEpoch, validation, chosenOnHeldOutPart: other }: PaperSeedReport): string {
  const { right, count, accuracy, interval, errors } = validation;
  const [low, high] = [interval.low, interval.high];
  return `| ${seed} | ${bestEpoch} | ${right} of ${count} | ${percent(accuracy)} (${percent(low)}–${percent(high)}) | ${errors} | ${other.bestEpoch} | ${other.validation.right} of ${count} | ${percent(other.validation.accuracy)} |`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
