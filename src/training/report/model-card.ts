import { MASK_LABELS } from '../../domain/label.js';
import type { Recipe } from '../recipes/recipe.js';
import type { TrainReport } from '../train.js';

/**
 * The model card as a training run can write it: what it is, what it was trained on, how, and its figures on the
 * validation part. Figures on held-out pictures are added by `maskwatch evaluate`'s user.
 */
export function modelCard(recipe: Recipe, report: TrainReport): string {
  const { validation } = report;
  const rows = MASK_LABELS.map((label) => {
    const { precision, recall, f1, support } = validation.labels[label];
    return `| ${label} | ${fixed(precision)} | ${fixed(recall)} | ${fixed(f1)} | ${support} |`;
  });
  const faces = Object.entries(report.faces).map(
    ([name, { train, validation: held, test }]) => `| ${name} | ${train} | ${held} | ${test} |`,
  );
  return `# ${report.model}

${recipe.description}. Recipe \`${recipe.name}\`; the whole recipe and every epoch stand in \`training.json\`.

- Input: \`pixels\`, uint8 RGB, batch × ${recipe.inputPx} × ${recipe.inputPx} × 3: a square around the face box, its longer side plus ${Math.round(recipe.marginRatio * 100)} %.
- Output: \`scores\`, batch × 3: ${MASK_LABELS.join(', ')}; temperature ${report.calibration.temperature.toFixed(3)} and biases (${report.calibration.bias.map((value) => value.toFixed(2)).join(', ')}) are already in it.
- Frozen part: ImageNet MobileNetV2 1.0 (\`models/imagenet-mobilenetv2\`), maps of ${recipe.featureNodes.join(', ')}.
- Licence: Apache-2.0, the frozen part's too. Some of the data sets name no licence; none of their pictures is here.

## Data

Labelled faces; parts are drawn by picture, near twins together (\`split.json\` lists the held-out ones).

| data set | train | validation | test |
|---|---|---|---|
${faces.join('\n')}

## Validation part (used to choose the epoch and the calibration)

Plain crops and one changed copy of each; accuracy ${fixed(validation.accuracy)}, macro-F1 ${fixed(validation.macroF1)}, epoch ${report.bestEpoch}.

| label | precision | recall | F1 | samples |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

function fixed(value: number): string {
  return value.toFixed(3);
}
