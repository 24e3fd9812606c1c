import { MASK_LABELS } from '../../domain/label.js';
import type { ModelManifest } from '../../inference/manifest.js';
import type { EvaluateReport } from '../evaluation/evaluation-report.js';
import type { FineTuneReport } from '../fine-tune/run-fine-tune.js';
import type { Interval } from '../metrics/bootstrap.js';
import type { FineTuneRecipe } from '../recipes/fine-tune-recipe.js';

/** An evaluation of the model on held-out pictures, kept beside it as `evaluation/NAME.json`. */
export interface CardEvaluation {
  readonly title: string;
  readonly command: string;
  readonly report: EvaluateReport;
}

/**
 * The card of a fine-tuned mask classifier, made of its training report, its manifest and evaluations alone, so that no
 * figure in it is written by hand.
 */
export function fineTuneCard(
  recipe: FineTuneRecipe,
  report: Omit<FineTuneReport, 'recipe'>,
  { crop, faceWeights }: Pick<ModelManifest, 'crop' | 'faceWeights'>,
  evaluations: readonly CardEvaluation[],
): string {
  const { validation, judged, places } = report;
  const { labels: labelCalibration, face } = judged.calibration;
  const rows = MASK_LABELS.map((label) => {
    const { precision, recall, f1, support } = validation.labels[label];
    return `| ${label} | ${fixed(precision)} | ${fixed(recall)} | ${fixed(f1)} | ${support} |`;
  });
  const faces = Object.entries(report.faces).map(
    ([name, { train, validation: held, test }]) => `| ${name} | ${train} | ${held} | ${test} |`,
  );
  const kept = (judged.face?.keeping ?? []).map(
    ({ facesKept, threshold, vetoed }) =>
      `| ${(facesKept * 100).toFixed(1)} % | ${fixed(threshold)} | ${Object.values(vetoed)
        .map((share) => `${(share * 100).toFixed(0)} %`)
        .join(' | ')} |`,
  );
  return `# ${report.model}

${recipe.description}. Recipe \`${recipe.name}\`; the whole recipe and every epoch stand in \`training.json\`. This page is made by \`npx tsx scripts/write-model-card.ts ${report.model}\` out of that file and of \`evaluation/*.json\`.

- Input: \`pixels\`, uint8 RGB, batch × ${recipe.inputPx} × ${recipe.inputPx} × 3: a square around the face box, its longer side plus ${Math.round(recipe.marginRatio * 100)} %.
- Output \`scores\`, batch × 3: ${MASK_LABELS.join(', ')}; temperature ${fixed(labelCalibration.temperature)} and biases (${labelCalibration.bias.map((value) => value.toFixed(2)).join(', ')}) are already in it.
- Output \`face\`, batch × 1: whether the crop shows a face at all; temperature ${fixed(face.temperature)} and bias ${face.bias.toFixed(2)} are already in it.
${inUse(recipe, crop, faceWeights)}- Trained: everything above \`${recipe.lastFrozenNode}\` of ${report.startedFrom}, batch norms folded; ${report.epochs.length} epochs of ${recipe.optimisation.epochSamples} crops, ${whatIsKept(report)}, ${Math.round(report.epochs.reduce((sum, { seconds }) => sum + seconds, 0) / 60)} minutes (${report.backend}, ${report.facts.machine.cores} cores).
- Licence: Apache-2.0, the starting weights' too. Some of the data sets name no licence; none of their pictures is here.

## Data

Labelled faces; parts are drawn by picture, near twins together (\`models/data/split.json\` lists the held-out ones), labels corrected by \`models/data/corrections*.jsonl\`.

| data set | train | validation | test |
|---|---|---|---|
${faces.join('\n')}

Places that crops were cut from in training: ${Object.entries(places.train)
    .map(([name, count]) => `${count} ${name}`)
    .join(
      ', ',
    )}. “painted”: a bare face with a mask drawn on it; “confirmed”, “background”, “beside”: no face.

| data set | origin | licence |
|---|---|---|
| paper | maritabrichan/Face-Mask-Detection-MobileNetV2 | none stated |
| scenes/ilc | jolignier/face-mask-dataset-ilc-2021 | none stated |
| scenes/adityap | adityap27/face-mask-detector | MIT |
| scenes/andrewmvd | Kaggle andrewmvd by iAmEthanMai/mask-detection-dataset | MIT |
| crops | chandrikadeb7/Face-Mask-Detection | MIT |
| crops-synthetic | baskoroadiw/MaskedFaceSegmentation-Dataset (MaskedFace-Net) | none stated |

## Validation part (the epoch and the calibration were chosen on it)

Accuracy ${fixed(validation.accuracy)}, macro-F1 ${fixed(validation.macroF1)}, ECE ${fixed(judged.ece)}.

| label | precision | recall | F1 | faces |
|---|---|---|---|---|
${rows.join('\n')}

What \`face\` tells apart: with a threshold that keeps so many of the faces, so many of the other things are turned away.

| faces kept | threshold | things that people said are none | background | beside faces |
|---|---|---|---|---|
${kept.join('\n')}

## Held-out figures

Pictures that took no part in training or in any choice.
${evaluations.map(evaluationSection).join('\n')}
## What it is good for, and what not

- Faces from about 10 pixels on, as a detector cuts them out of scenes. It knows no other crops than those of its training: a square around the box.
- A mask worn incorrectly is its weakest label: few real examples exist. A tip of the nose at the mask's edge, beards, hands before the mouth and scarves are its typical mistakes.
- Scores are calibrated for ${MASK_LABELS.map((label) => `${Math.round(recipe.labelShares[label] * 100)} %`).join(' / ')} of the labels; where they occur otherwise the scores are off by that much.
- The data are mostly press and stock pictures of 2020 and 2021; people, masks and cameras elsewhere differ. Measure on your own footage before you trust it.
- It says nothing about who somebody is and must not be used for that, nor to decide about people without a person.
`;
}

function whatIsKept({ runs, bestEpoch }: Pick<FineTuneReport, 'runs' | 'bestEpoch'>): string {
  return runs?.kept === 'mean'
    ? `in ${runs.losses.length} runs, of which the mean of the weights is kept`
    : `epoch ${bestEpoch} kept`;
}

/** What the service does around the network. */
function inUse(
  recipe: FineTuneRecipe,
  crop: ModelManifest['crop'],
  faceWeights: ModelManifest['faceWeights'],
): string {
  const lines: string[] = [];
  const { uprightFromDegrees, secondLook, contextMarginRatio } = crop ?? {};
  if (uprightFromDegrees !== undefined)
    lines.push(
      `A head that leans by ${uprightFromDegrees}° and more, by the detector's landmarks, is turned upright, here and in the service${recipe.uprightFromDegrees === uprightFromDegrees ? '' : ', which was settled after the training'}; of a box that somebody drew no landmarks are known.`,
    );
  if (secondLook)
    lines.push(
      `A crop whose highest score is below ${secondLook.below} is looked at three times more, mirrored, with a margin of ${Math.round(secondLook.marginRatio * 100)} %, and with that mirrored; the mean counts, here and in the service.`,
    );
  if (faceWeights) {
    const { detector, closeUp } = faceWeights;
    lines.push(
      `Whether a box shows a face is told by \`face\` and by the score of the detector \`${detector}\` together: log odds ${weighted(
        [
          [faceWeights.detection, 'detector'],
          [faceWeights.crop, '`face`'],
        ],
        faceWeights.bias,
      )}, fitted on the validation part.`,
    );
    if (closeUp) {
      const looks = [
        `the detector looks once more at the box alone, in ${closeUp.sizePx} × ${closeUp.sizePx} pixels around it`,
      ];
      const terms: [number, string][] = [
        [closeUp.detection, 'detector'],
        [closeUp.crop, '`face`'],
        [closeUp.closeUp, 'detector on the close-up'],
      ];
      if (closeUp.context !== undefined && contextMarginRatio !== undefined) {
        const since = recipe.contextMarginRatio === contextMarginRatio ? '' : ' (settled after the training)';
        looks.push(`\`face\` at the box with a margin of ${Math.round(contextMarginRatio * 100)} %${since}`);
        terms.push([closeUp.context, '`face` with the wide margin']);
      }
      lines.push(
        `Where that leaves it open (a probability between ${closeUp.from} and ${closeUp.to}), ${looks.join(', and ')}: log odds ${weighted(terms, closeUp.bias)}.`,
      );
    }
  }
  return lines.map((line) => `- ${line}\n`).join('');
}

function weighted(terms: readonly (readonly [number, string])[], bias: number): string {
  const sum = terms.map(([weight, name]) => `${weight.toFixed(2)} · ${name}`).join(' + ');
  return `${sum} ${bias < 0 ? '−' : '+'} ${Math.abs(bias).toFixed(2)}`;
}

function evaluationSection({ title, command, report }: CardEvaluation): string {
  type Figures = Pick<EvaluateReport, 'labels' | 'accuracy' | 'macroF1' | 'count' | 'intervals'>;
  const row = (name: string, figures: Figures) =>
    `| ${name} | ${figures.count} | ${fixed(figures.accuracy)} | ${ranged(figures.macroF1, figures.intervals?.macroF1)} | ${MASK_LABELS.map(
      (label) => {
        const { f1, support } = figures.labels[label];
        return support === 0 ? '–' : ranged(f1, figures.intervals?.labels[label]?.f1);
      },
    ).join(' | ')} |`;
  const lines = [
    row(report.detection ? 'detection and classification together' : 'all', report),
    ...(report.givenTheBox ? [row('label given the box', report.givenTheBox)] : []),
  ];
  const extra = [
    `ECE ${fixed(report.ece)}${report.givenTheBox ? `, given the box ${fixed(report.givenTheBox.ece)}` : ''}`,
    `not assessable ${report.notAssessable.count}`,
    ...(report.twoLabels
      ? [`which of two labels: ${report.twoLabels.right} of ${report.twoLabels.count} right`]
      : []),
    ...(report.detection
      ? [
          `faces found: ${Object.entries(report.detection.recallByLabel)
            .map(([label, recall]) => `${label} ${fixed(recall)}`)
            .join(', ')}`,
          `boxes on no labelled face: ${report.detection.unmatched.count}, many of them on faces that nobody labelled`,
        ]
      : []),
  ];
  return `
### ${title}

\`${command}\`

| | faces | accuracy | macro-F1 | F1 with mask | F1 without | F1 incorrectly |
|---|---|---|---|---|---|---|
${lines.join('\n')}

${extra.join('; ')}. In brackets: 95 %, bootstrap by picture.
${report.detection ? `${confusionTable(report)}${sliceTable(report)}` : ''}`;
}

function confusionTable({ confusion, givenTheBox }: EvaluateReport): string {
  const { order, rows } = givenTheBox?.confusion ?? confusion;
  return `
| labelled, given the box | ${order.map((label) => `judged ${label}`).join(' | ')} |
|---|${order.map(() => '---|').join('')}
${rows.map((row, index) => `| ${order[index]} | ${row.join(' | ')} |`).join('\n')}
`;
}

/** Slices with enough faces to have an interval. */
function sliceTable({ slices }: EvaluateReport): string {
  const rows = Object.entries(slices)
    .filter(([, { intervals }]) => intervals !== undefined)
    .map(
      ([name, { count, accuracy, intervals, givenTheBox }]) =>
        `| ${name} | ${count} | ${ranged(accuracy, intervals?.accuracy)} | ${ranged(givenTheBox?.accuracy, givenTheBox?.intervals?.accuracy)} |`,
    );
  return `
| slice | faces | right, together | right, given the box |
|---|---|---|---|
${rows.join('\n')}
`;
}

function ranged(value: number | undefined, interval: Interval | undefined): string {
  const range = interval ? ` (${fixed(interval.low)}–${fixed(interval.high)})` : '';
  return `${fixed(value)}${range}`;
}

function fixed(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(3);
}
