/**
 * Fits how much the detector's score, the classifier's output `face` and further looks count (`faceWeights` of the
 * classifier's manifest) on the validation part of the scenes, as `train` does at its end: for another detector, or
 * after more labels. Prints what thresholds would let through; `--write` puts the weights into the manifest.
 *
 *     npx tsx scripts/fit-face-weights.ts --data DATA/scenes --model mask-mobilenetv2 [--detector NAME] [--write]
 */
import { parseArgs } from 'node:util';
import { SERVICE } from '../src/cli/evaluate-models.js';
import { namedModelFolder } from '../src/cli/model-folders.js';
import { readManifest } from '../src/inference/manifest.js';
import { splitFileOf } from '../src/training/dataset/shipped-split.js';
import { selectPictures } from '../src/training/evaluation/select-pictures.js';
import {
  CLOSE_UP,
  fitFaceWeights,
  weighedProbability,
  writeFaceWeights,
} from '../src/training/face-weights/fit-face-weights.js';
import { type MeasuredBox, measureBoxes } from '../src/training/face-weights/measure-boxes.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    model: { type: 'string', default: SERVICE.classification.model },
    detector: { type: 'string', default: SERVICE.detection.model },
    write: { type: 'boolean', default: false },
  },
});
if (!values.data) throw new Error('--data is missing: the folder of the scenes');
const { widthPx: sizePx, scoreThreshold } = SERVICE.detection;
const classifierDir = await namedModelFolder(values.model);
const detectorDir = await namedModelFolder(values.detector);
const { pictures } = await selectPictures({
  kind: 'scenes',
  dataDir: values.data,
  only: { splitFile: await splitFileOf(classifierDir), part: 'validation' },
});
const boxes = await measureBoxes(pictures, {
  detector: { dir: detectorDir, sizePx, scoreThreshold },
  classifierDir,
  closeUp: CLOSE_UP,
});
const labelled = boxes.filter(({ isFace, isUnlabelled }) => isFace && !isUnlabelled);
const unlabelled = boxes.filter(({ isUnlabelled }) => isUnlabelled);
const others = boxes.filter(({ isFace }) => !isFace);
console.log(
  `${labelled.length} boxes on labelled faces, ${unlabelled.length} on faces without a label, ${others.length} on other things`,
);
const weights = fitFaceWeights(boxes, (await readManifest(detectorDir)).name);
if (!weights) throw new Error('these are too few to fit anything');
console.log(JSON.stringify(weights));
printTable('weighed together', [0.4, 0.5, 0.6, 0.7, 0.8], (box) => weighedProbability(box, weights));
const { closeUp: _, ...without } = weights;
printTable('without close-ups', [0.4, 0.5, 0.6, 0.7, 0.8], (box) => weighedProbability(box, without));
printTable('the classifier alone', [0, 0.2, 0.3, 0.4, 0.5], ({ crop }) => crop);
if (values.write) {
  await writeFaceWeights(classifierDir, weights);
  console.log(`written to the manifest in ${classifierDir}`);
}

function printTable(
  title: string,
  minFaceScores: readonly number[],
  scoreOf: (box: MeasuredBox) => number,
): void {
  const headings = [
    'detection',
    'minFaceScore',
    'faces kept',
    'faces without a label kept',
    'other things kept',
  ];
  console.log(`${title}\n${headings.join('  ')}`);
  for (const detectionScore of [0, 0.05, 0.1, 0.2].map((more) => Number((scoreThreshold + more).toFixed(2))))
    for (const minFaceScore of minFaceScores) {
      const kept = (of: readonly MeasuredBox[]) =>
        of.filter((box) => box.detection >= detectionScore && scoreOf(box) >= minFaceScore).length;
      const share = (of: readonly MeasuredBox[]) =>
        of.length === 0 ? '–' : `${((100 * kept(of)) / of.length).toFixed(1)} %`;
      console.log(
        [detectionScore, minFaceScore, share(labelled), share(unlabelled), kept(others)]
          .map((cell, column) => String(cell).padStart(headings[column]!.length))
          .join('  '),
      );
    }
}
