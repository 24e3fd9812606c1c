import { MASK_LABELS } from '../../domain/label.js';
import type { DetectionFigures, Share } from './detection-figures.js';
import type { FalseBoxes } from './measure-detector.js';

/** Figures of one detector on one part of the scenes, by rising threshold. */
export interface DetectorFigures {
  readonly model: string;
  readonly figures: readonly DetectionFigures[];
  readonly falseBoxes: readonly FalseBoxes[];
}

export interface DetectorCardSources {
  readonly name: string;
  readonly command: string;
  readonly sizePx: number;
  readonly training: Readonly<Record<string, number>>;
  /** By part: the detector itself and the one it began from. */
  readonly parts: readonly {
    readonly title: string;
    readonly pictures: number;
    readonly detectors: readonly DetectorFigures[];
  }[];
}

/** The card of a fine-tuned detector, made of its manifest and of measurements, so that no figure is typed. */
export function detectorCard({ name, command, sizePx, training, parts }: DetectorCardSources): string {
  return `# ${name}

YuNet-n (\`models/yunet-n\`), fine-tuned to find masked, small and turned faces; same cost, same inputs and outputs, five landmarks of each face; 75 856 parameters. This page is made by \`${command}\`.

| | |
|---|---|
| task | face detection |
| began from | \`models/yunet-n\`: ShiqiYu/libfacedetection.train, trained on WIDER FACE by its authors |
| licence | Apache-2.0, the starting weights' too; some of the data sets name none, and none of their pictures is here |
| trained by | \`npx tsx scripts/train-detector.ts --data DATA --steps ${training.steps}\`; step ${training.bestStep} kept, chosen on the validation part |

## Data

${training.scenes} scenes (scenes/ilc, scenes/adityap, scenes/andrewmvd) and ${training.portraits} portraits (crops, paper/train) of the training part: ${training.labelledFaces} labelled faces, ${training.unlabelledFaces} faces that annotators left out and people added (\`models/data/corrections*.jsonl\`), ${training.hardNegatives} places that look like a face and are none. Masks painted on some of the bare faces, pictures scaled, blurred, coded and recoloured. Landmarks and the boxes of faces without a good one come from the published detector on the enlarged picture: landmarks under masks are its guess.

## Figures

Pictures brought to ${sizePx} px. A face is found by a box with an IoU of 0.35 or more; faces of 16 px and more, per cent. “Extra”: boxes on no known face per 100 pictures, many of them on faces that nobody labelled. “Places”: of those that the published detector once took for a face and people said are none, those with a box. “Nothing”: boxes per 100 parts of pictures in which the published detector sees nothing at 0.05, enlarged to ${sizePx} px, which favours the published one. “Landmarks”: mean distance from the published detector's on the picture at twice the size, as a share of the distance between the eyes.
${parts.map(partSection).join('')}
## Limits

- A lower score finds more masked faces and more things that are none; detector and classifier together turn most of those away (\`classification.minFaceScore\`).
- It was chosen by what it finds at ${sizePx} px. Faces below 9 px were not taught.
- It says where a face is, never whose.
`;
}

function partSection({ title, pictures, detectors }: DetectorCardSources['parts'][number]): string {
  const head = [
    'detector',
    'score',
    'masked',
    'bare',
    'worn incorrectly',
    'under 16 px',
    'extra',
    'places',
    'nothing',
    'landmarks',
  ];
  const rows = detectors.flatMap(({ model, figures, falseBoxes }) =>
    figures.map((figure, index) => [
      model,
      figure.scoreThreshold.toFixed(2),
      ...MASK_LABELS.map((label) => percent(figure.byLabel[label])),
      percent(figure.smaller),
      figure.extraPer100.toFixed(0),
      `${figure.notFaces.found} of ${figure.notFaces.of}`,
      (falseBoxes[index]?.per100 ?? 0).toFixed(1),
      figure.landmarkError.toFixed(3),
    ]),
  );
  const counts = detectors[0]?.figures[0]?.byLabel;
  const faces = MASK_LABELS.map((label) => `${counts?.[label].of ?? 0} ${label}`).join(', ');
  return `
### ${title}

${pictures} pictures; faces of 16 px and more: ${faces}.

${[head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')}
`;
}

function percent({ found, of }: Share): string {
  return of === 0 ? '–' : ((100 * found) / of).toFixed(1);
}
