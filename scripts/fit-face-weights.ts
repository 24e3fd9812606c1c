/**
 * Fits how much the detector's score and the classifier's output `face` count (`faceWeights` of the classifier's
 * manifest) on the validation part of the scenes: boxes on labelled faces against boxes of which people said that they
 * show none; and the same with the detector's score of a close-up, which counts where the first leave it open. Prints
 * what thresholds would let through; `--write` puts the weights into the manifest.
 *
 *     npx tsx scripts/fit-face-weights.ts --data DATA/scenes --model mask-mobilenetv2 [--write]
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openPool, SERVICE } from '../src/cli/evaluate-models.js';
import { iou } from '../src/domain/box.js';
import { faceProbability, faceProbabilityWithCloseUp } from '../src/inference/face-probability.js';
import { readManifest } from '../src/inference/manifest.js';
import { OnnxRuntimeEngine } from '../src/inference/onnxruntime-engine.js';
import { logOdds } from '../src/lib/log-odds.js';
import { modelsDir } from '../src/lib/package-paths.js';
import { readRgbPicture } from '../src/training/dataset/rgb-picture.js';
import { shippedSplit } from '../src/training/dataset/shipped-split.js';
import { PictureJudge } from '../src/training/evaluation/judge.js';
import { selectPictures } from '../src/training/evaluation/select-pictures.js';
import { fitLogisticRegression } from '../src/training/metrics/logistic-regression.js';
import { CloseUpDetector } from '../workers/close-up-detector.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    model: { type: 'string', default: 'mask-mobilenetv2' },
    write: { type: 'boolean', default: false },
  },
});
if (!values.data) throw new Error('--data is missing: the folder of the scenes');
const LOWEST_SCORE = 0.2;
const MATCH_IOU = 0.35;
/** Tried on the validation part: sides of 96, 160 and 224 px and margins of 1 and 2 differ little. */
const CLOSE_UP = { sizePx: 160, marginRatio: 2 };
/** Below and above the close-up changes too little to be worth its time. */
const OPEN = { from: 0.1, to: 0.97 };

const { detection } = SERVICE;
const modelDir = join(modelsDir(), values.model);
const pool = await openPool({ detector: detection.model, detectorSize: 640 }, modelDir);
const engine = await OnnxRuntimeEngine.open({ threads: 1 });
const boxes: { detection: number; crop: number; closeUp: number; isFace: boolean }[] = [];
try {
  const detectorDir = join(modelsDir(), detection.model);
  const closeUp = new CloseUpDetector(
    await engine.load(detectorDir),
    await readManifest(detectorDir),
    CLOSE_UP,
  );
  const judge = new PictureJudge(pool, LOWEST_SCORE, LOWEST_SCORE);
  const { pictures } = await selectPictures({
    kind: 'scenes',
    dataDir: values.data,
    only: { splitFile: shippedSplit(), part: 'validation' },
  });
  for (const picture of pictures) {
    if (picture.kind !== 'scene') continue;
    const rgb = await readRgbPicture(picture.path);
    const found = await judge.findAll(rgb);
    // Boxes alone: the score must not count twice.
    const judgements = await judge.classify(
      rgb,
      found.map(({ box }) => box),
    );
    for (const [index, { box, score }] of found.entries()) {
      const isFace = picture.faces.some((face) => iou(face.box, box) >= MATCH_IOU);
      const isNone = picture.notFaces.some((place) => iou(place, box) >= MATCH_IOU);
      // What is neither labelled nor looked at says nothing.
      if (!isFace && !isNone) continue;
      const crop = judgements[index]!.faceScore;
      boxes.push({ detection: score, crop, closeUp: await closeUp.score(rgb, box), isFace });
    }
  }
} finally {
  await Promise.all([pool.close(), engine.close()]);
}

type Box = (typeof boxes)[number];
const first = fit(({ detection, crop }) => [detection, crop]);
const second = fit(({ detection, crop, closeUp }) => [detection, crop, closeUp]);
const weights = { detector: detection.model, detection: first[0]!, crop: first[1]!, bias: first[2]! };
const closeUpWeights = { detection: second[0]!, crop: second[1]!, closeUp: second[2]!, bias: second[3]! };
const faces = boxes.filter(({ isFace }) => isFace).length;
console.log(
  `${faces} boxes on faces, ${boxes.length - faces} on other things, detector's score ${LOWEST_SCORE} and more`,
);
console.log(JSON.stringify({ ...weights, closeUp: closeUpWeights }));
const together = (box: Box) => faceProbability(box, weights);
const isOpen = (box: Box) => together(box) > OPEN.from && together(box) < OPEN.to;
console.log(
  `close-ups of ${boxes.filter((box) => box.isFace && isOpen(box)).length} faces and ${boxes.filter((box) => !box.isFace && isOpen(box)).length} other things`,
);
printTable('with close-ups', [0.2, 0.25, 0.3, 0.4], [0.4, 0.5, 0.6, 0.7, 0.8], (box) =>
  isOpen(box) ? faceProbabilityWithCloseUp(box, closeUpWeights) : together(box),
);
printTable('weighed together', [0.2, 0.25, 0.3, 0.4], [0, 0.4, 0.5, 0.6, 0.7, 0.8], together);
printTable('the classifier alone', [0.3, 0.4, 0.5], [0, 0.2, 0.3, 0.4, 0.5], ({ crop }) => crop);
if (values.write) {
  const path = join(modelDir, 'manifest.json');
  const faceWeights = { ...weights, closeUp: { ...OPEN, ...CLOSE_UP, ...closeUpWeights } };
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, `${JSON.stringify({ ...manifest, faceWeights }, null, 2)}\n`);
  console.log(`written to ${path}`);
}

/** Weights of the log odds and, last, the bias. */
function fit(evidenceOf: (box: Box) => readonly number[]): number[] {
  return fitLogisticRegression(
    boxes.map((box) => evidenceOf(box).map(logOdds)),
    boxes.map(({ isFace }) => isFace),
  ).map((weight) => Number(weight.toFixed(3)));
}

function printTable(
  title: string,
  detectionScores: readonly number[],
  minFaceScores: readonly number[],
  scoreOf: (box: Box) => number,
): void {
  console.log(`${title}\ndetection  minFaceScore  faces kept  other things kept`);
  for (const detectionScore of detectionScores)
    for (const minFaceScore of minFaceScores) {
      const kept = boxes.filter((box) => box.detection >= detectionScore && scoreOf(box) >= minFaceScore);
      const keptFaces = kept.filter(({ isFace }) => isFace).length;
      console.log(
        [detectionScore, minFaceScore, `${((100 * keptFaces) / faces).toFixed(1)} %`, kept.length - keptFaces]
          .map((cell) => String(cell).padStart(9))
          .join('  '),
      );
    }
}
