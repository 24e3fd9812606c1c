import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iou } from '../../src/domain/box.js';
import type { FaceDetection } from '../../src/domain/face.js';
import type { PixelBuffer } from '../../src/domain/frame.js';
import { InferencePool } from '../../src/inference/inference-pool.js';
import { readManifest } from '../../src/inference/manifest.js';
import { OnnxRuntimeEngine } from '../../src/inference/onnxruntime-engine.js';
import { TfjsEngine } from '../../src/inference/tfjs-engine.js';
import { makeTinyModels, noisePicture, type TinyModels } from '../support/tiny-models.js';
import { videoFrame } from '../support/video-frame.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const modelNames = readdirSync(join(root, 'models')).filter((name) =>
  existsSync(join(root, 'models', name, 'manifest.json')),
);
const people = join(root, 'src/demo/footage/entrance.mp4');
const nobody = join(root, 'src/demo/footage/stairwell.mp4');

describe.each(modelNames)('the model %s', (name) => {
  it('gives the same numbers on both engines', async () => {
    const modelDir = join(root, 'models', name);
    const { input } = await readManifest(modelDir);
    const [height, width] = [input.heightPx ?? 192, input.widthPx ?? 320];
    const pictures = [1, 2].map((seed) => new Uint8Array(noisePicture(width, height, seed).buffer));
    const data = new Uint8Array(2 * width * height * 3);
    for (const [index, picture] of pictures.entries()) data.set(picture, index * picture.length);
    const inputs = { [input.name]: { data, shape: [2, height, width, 3] } };

    const engines = [await OnnxRuntimeEngine.open({ threads: 1 }), await TfjsEngine.open()];
    const [first, second] = await Promise.all(
      engines.map(async (engine) => (await engine.load(modelDir)).run(inputs)),
    );
    for (const [output, { data: expected, shape }] of Object.entries(first!)) {
      const actual = second![output]!;
      expect(actual.shape).toEqual(shape);
      const scale = Math.max(1, ...expected.map(Math.abs));
      const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual.data[i]!)), 0);
      expect(worst / scale).toBeLessThan(1e-3);
    }
    for (const engine of engines) await engine.close();
  });
});

const isReady =
  existsSync(join(root, 'models/yunet-n/manifest.json')) && existsSync(people) && existsSync(nobody);

describe.skipIf(!isReady)('faces of the demo’s footage (needs models/yunet-n and src/demo/footage)', () => {
  const pools: InferencePool[] = [];
  let tiny: TinyModels;

  beforeAll(async () => {
    tiny = await makeTinyModels();
    for (const engine of ['onnxruntime', 'tfjs'] as const) {
      pools.push(
        await InferencePool.open({
          workers: 1,
          maxQueue: 4,
          measureBatchSizes: [1],
          workerOptions: {
            engine,
            detectorModelDir: join(root, 'models/yunet-n'),
            classifierModelDir: tiny.classifierDir,
            detectorWidth: 640,
            detectorHeight: 384,
            threadsPerWorker: 1,
          },
        }),
      );
    }
  });
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.close()));
    await tiny?.remove();
  });

  const facesOf = async (pixels: PixelBuffer, pool = pools[0]!): Promise<readonly FaceDetection[]> => {
    const result = await pool.detect(pixels, 0.5);
    if (!result.ok) throw new Error(result.error.message);
    return [...result.faces].sort((a, b) => a.box.x - b.box.x);
  };
  const picture = (width: number, height: number, filter?: string) =>
    videoFrame(people, { atSeconds: 0, width, height, ...(filter ? { filter } : {}) });

  it('finds both people, the same on both engines', async () => {
    const pixels = await picture(640, 360);
    const faces = await facesOf(pixels);
    expect(faces).toHaveLength(2);
    const others = await facesOf(pixels, pools[1]!);
    for (const [index, face] of faces.entries()) {
      expect(others[index]!.score).toBeCloseTo(face.score, 3);
      expect(iou(others[index]!.box, face.box)).toBeGreaterThan(0.99);
    }
  });

  it('has eyes, nose and mouth where a face has them, right and left as the person has them', async () => {
    for (const { box, landmarks, sharpness } of await facesOf(await picture(640, 360))) {
      const [rightEye, leftEye, nose, rightMouth, leftMouth] = landmarks;
      expect(rightEye.x).toBeLessThan(leftEye.x);
      expect(rightMouth.x).toBeLessThan(leftMouth.x);
      expect((rightEye.y + leftEye.y) / 2).toBeLessThan(nose.y);
      expect(nose.y).toBeLessThan((rightMouth.y + leftMouth.y) / 2);
      for (const { x, y } of landmarks) {
        expect(x).toBeGreaterThan(box.x);
        expect(x).toBeLessThan(box.x + box.width);
        expect(y).toBeGreaterThan(box.y);
        expect(y).toBeLessThan(box.y + box.height);
      }
      expect(sharpness).toBeGreaterThan(20);
    }
  });

  it.each([
    [1280, 720],
    [960, 540],
    [320, 180],
  ])('finds them at the same place in a picture of %i × %i', async (width, height) => {
    const expected = await facesOf(await picture(640, 360));
    const faces = await facesOf(await picture(width, height));
    expect(faces).toHaveLength(2);
    const factor = 640 / width;
    for (const [index, { box }] of faces.entries()) {
      const scaled = {
        x: box.x * factor,
        y: box.y * factor,
        width: box.width * factor,
        height: box.height * factor,
      };
      expect(iou(scaled, expected[index]!.box)).toBeGreaterThan(0.8);
    }
  });

  it('finds them mirrored in the mirrored picture', async () => {
    const expected = await facesOf(await picture(640, 360));
    const faces = (await facesOf(await picture(640, 360, 'hflip'))).toReversed();
    expect(faces).toHaveLength(2);
    for (const [index, { box }] of faces.entries())
      expect(iou({ ...box, x: 640 - box.x - box.width }, expected[index]!.box)).toBeGreaterThan(0.8);
  });

  it('measures a blurred face as less sharp', async () => {
    const sharp = await facesOf(await picture(640, 360));
    const blurred = await facesOf(await picture(640, 360, 'boxblur=8:2'));
    expect(blurred.length).toBeGreaterThan(0);
    const most = Math.max(...blurred.map(({ sharpness }) => sharpness));
    expect(most).toBeLessThan(Math.min(...sharp.map(({ sharpness }) => sharpness)) / 2);
  });

  it('finds nobody where nobody is', async () => {
    expect(await facesOf(await videoFrame(nobody, { atSeconds: 1, width: 640, height: 360 }))).toEqual([]);
  });
});
