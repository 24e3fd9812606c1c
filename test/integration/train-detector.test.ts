import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iou } from '../../src/domain/box.js';
import { modelsDir } from '../../src/lib/package-paths.js';
import { seededRandom } from '../../src/lib/random.js';
import type { RgbPicture } from '../../src/training/dataset/rgb-picture.js';
import { cellGrid } from '../../src/training/detector/assign-cells.js';
import { SAMPLE_RULES, type SampleRules, sceneSample } from '../../src/training/detector/compose-sample.js';
import { withLogits } from '../../src/training/detector/detector-network.js';
import { runDetectorTraining, sourceOf } from '../../src/training/detector/detector-recipe.js';
import { DetectorSession } from '../../src/training/detector/detector-session.js';
import { loadPictures } from '../../src/training/detector/load-pictures.js';
import { TeachingPictures, teach } from '../../src/training/detector/teaching-pictures.js';
import {
  batchLoss,
  DETECTOR_SCHEDULE,
  type DetectorSchedule,
  type TrainDetectorOptions,
  trainDetector,
} from '../../src/training/detector/train-detector.js';
import type { TrainingCanvas } from '../../src/training/detector/training-canvas.js';
import { exportModel } from '../../src/training/export/export-model.js';
import type { Network } from '../../src/training/export/network.js';
import { writeOnnx } from '../../src/training/export/onnx-writer.js';
import { startTensorFlow } from '../../src/training/head/tensorflow.js';
import { TrainableNetwork } from '../../src/training/trainable/trainable-network.js';
import { writeFootageScenes } from '../support/footage-scenes.js';
import { readShippedDetector } from '../support/read-graph-model.js';

/* The shipped detector learns a few steps from pictures of the demo footage, labelled by what it finds there itself. */
const SAMPLES: SampleRules = { ...SAMPLE_RULES, sizePx: 160, facePx: [16, 90], codedChance: 0 };
const SCHEDULE: DetectorSchedule = {
  ...DETECTOR_SCHEDULE,
  batchSize: 2,
  steps: 6,
  warmUpSteps: 2,
  learningRate: 1e-3,
  validateEverySteps: 2,
};
const backend = await startTensorFlow({ threads: 1 });
let root: string;
let start: Network;
let pictures: RgbPicture[];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'maskwatch-train-detector-'));
  start = await readShippedDetector(join(modelsDir(), 'yunet-n'));
  pictures = await writeFootageScenes(root, start);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const sources = () => ({
  dataDirs: [join(root, 'data')],
  splitFile: join(root, 'split.json'),
  corrections: false as const,
});
const bytesOf = (network: Network) => Buffer.from(writeOnnx(network));

/** Loss of a network on the same few samples, as training computes it. */
async function lossOf(network: Network, scenes: TeachingPictures): Promise<number> {
  const canvases: TrainingCanvas[] = [];
  for (let seed = 0; seed < 6; seed++)
    canvases.push(await sceneSample(await scenes.take(seed % scenes.count), SAMPLES, seededRandom(seed)));
  const trainable = new TrainableNetwork(withLogits(network), SCHEDULE.trainFrom);
  const session = await DetectorSession.open(trainable.frozen);
  const { sizePx } = SAMPLES;
  const pixels = Buffer.concat(canvases.map(({ picture }) => picture.data));
  const { features } = await session.run(pixels, canvases.length, sizePx, sizePx);
  await session.close();
  const side = sizePx / 4;
  const loss = tf.tidy(() => {
    const input = tf.tensor(features!, [
      canvases.length,
      side,
      side,
      features!.length / canvases.length / side ** 2,
    ]);
    return batchLoss(trainable, input, canvases, cellGrid(sizePx), SCHEDULE).dataSync()[0]!;
  });
  trainable.dispose();
  return loss;
}

// WebAssembly has no gradients of depthwise convolutions.
describe.skipIf(backend !== 'tensorflow')('fine-tuning the detector (needs native TensorFlow)', () => {
  it('lowers the loss, and ends with the same weights when it was stopped and goes on', async () => {
    const { pictures: parted } = await loadPictures(sources());
    const inTraining = parted.filter(({ part }) => part === 'train');
    const taught = await teach(inTraining, sourceOf(start), join(root, 'cache'));
    expect([taught.scenes.length, taught.portraits.length]).toEqual([2, 1]);
    const scenes = new TeachingPictures(taught.scenes, 2 ** 24);
    const steps: number[] = [];
    const run = (options: Partial<TrainDetectorOptions>) => {
      steps.length = 0;
      return trainDetector({
        start,
        scenes,
        portraits: new TeachingPictures(taught.portraits, 2 ** 24),
        samples: SAMPLES,
        schedule: SCHEDULE,
        dataKey: 'three pictures',
        // The last weights are the best: none may be lost.
        validate: async (_, step) => step,
        onStep: (done) => steps.push(done),
        ...options,
      });
    };
    const tensors = tf.memory().numTensors;
    const straight = await run({});
    expect(straight.bestStep).toBe(6);
    expect(await lossOf(straight.network, scenes)).toBeLessThan(0.9 * (await lossOf(start, scenes)));

    const checkpointFile = join(root, 'run.checkpoint');
    const controller = new AbortController();
    const stopped = run({
      checkpointFile,
      signal: controller.signal,
      onStep: (done) => {
        if (done === 5) controller.abort(new Error('stopped here'));
      },
    });
    await expect(stopped).rejects.toThrow('stopped here');
    const other = run({ checkpointFile, dataKey: 'other pictures' });
    await expect(other).rejects.toMatchObject({ code: 'CHECKPOINT_OTHER_RUN' });
    const resumed = await run({ checkpointFile });
    expect(steps).toEqual([5, 6]);
    expect(bytesOf(resumed.network).equals(bytesOf(straight.network))).toBe(true);
    // What is finished is not begun again.
    const again = await run({ checkpointFile });
    expect(steps).toEqual([]);
    expect(bytesOf(again.network).equals(bytesOf(straight.network))).toBe(true);

    // Another seed, other weights: the comparison above could fail.
    const differently = await run({ schedule: { ...SCHEDULE, seed: 6 } });
    expect(bytesOf(differently.network).equals(bytesOf(straight.network))).toBe(false);
    expect(tf.memory().numTensors).toBe(tensors);
  }, 120_000);

  it('learns from pictures without any face, and from portraits alone', async () => {
    const picturePath = join(root, 'data', 'scenes', 'rooms', 'entrance.png');
    const nothing = { faces: [], ignored: [], hardNegatives: [] };
    const face = { box: { x: 40, y: 40, width: 60, height: 60 }, landmarks: null, label: null, weight: 1 };
    const none = new TeachingPictures([], 0);
    for (const [scenes, portraits] of [
      [new TeachingPictures([{ path: picturePath, targets: nothing }], 0), none],
      [none, new TeachingPictures([{ path: picturePath, targets: { ...nothing, faces: [face] } }], 0)],
    ] as const) {
      const losses: number[] = [];
      await trainDetector({
        start,
        scenes,
        portraits,
        samples: SAMPLES,
        schedule: { ...SCHEDULE, steps: 2 },
        dataKey: '',
        validate: async () => 0,
        onStep: (_, loss) => losses.push(loss),
      });
      expect(losses).toHaveLength(2);
      expect(losses.every((loss) => loss > 0 && Number.isFinite(loss))).toBe(true);
    }
  }, 120_000);

  it('gives a model that ONNX Runtime loads and that finds the faces, chosen on the validation part', async () => {
    const lines: string[] = [];
    const run = () =>
      runDetectorTraining({
        ...sources(),
        start,
        cacheDir: join(root, 'cache'),
        checkpointFile: join(root, 'whole.checkpoint'),
        recipe: {
          samples: SAMPLES,
          schedule: { ...SCHEDULE, steps: 3, warmUpSteps: 20, validateEverySteps: 3 },
          blendShare: 0.7,
        },
        onLine: (line) => lines.push(line),
      });
    const { network, counts, bestStep, bestMerit } = await run();
    expect(counts).toMatchObject({ scenes: 2, portraits: 1, hardNegatives: 0 });
    expect(counts.labelledFaces).toBeGreaterThanOrEqual(4);
    expect(bestStep).toBe(3);
    // The one face of the validation picture is bare: a share of 1 out of 3.5.
    expect(bestMerit).toBeCloseTo(1 / 3.5, 5);
    expect(lines.filter((line) => line.startsWith('step 3: merit'))).toHaveLength(1);

    const modelDir = join(root, 'yunet-tuned');
    await exportModel(network, {
      modelDir,
      manifest: {
        name: 'yunet-tuned',
        version: '1',
        task: 'face-detection',
        description: 'For tests.',
        license: 'Apache-2.0',
        origin: ['made by a test'],
      },
      outputs: Object.fromEntries(start.outputs.map(({ name }) => [name, { meaning: name }])),
      multipleOf: 32,
    });
    expect((await readFile(join(modelDir, 'model.onnx'))).equals(bytesOf(start))).toBe(false);
    const [before, after] = [
      await DetectorSession.open(start),
      await DetectorSession.open(join(modelDir, 'model.onnx')),
    ];
    for (const picture of pictures) {
      const known = await before.find(picture, 640, 0.5);
      const found = await after.find(picture, 640, 0.4);
      expect(known.length).toBeGreaterThan(0);
      for (const { box, score } of known) {
        const [same] = found.filter((face) => iou(face.box, box) > 0.7);
        expect(Math.abs(same!.score - score)).toBeLessThan(0.2);
      }
    }
    // Scores, not what goes into the sigmoids, as training has it.
    const { obj_8: scores } = await after.run(new Uint8Array(64 * 64 * 3), 1, 64, 64);
    expect(scores!.every((value) => value >= 0 && value <= 1)).toBe(true);
    await before.close();
    await after.close();

    // Other labels, another run.
    const annotations = join(root, 'data', 'scenes', 'rooms', 'annotations.jsonl');
    const text = await readFile(annotations, 'utf8');
    await writeFile(annotations, text.replace('with_mask', 'mask_worn_incorrectly'));
    await expect(run()).rejects.toMatchObject({ code: 'CHECKPOINT_OTHER_RUN' });
  }, 120_000);
});
