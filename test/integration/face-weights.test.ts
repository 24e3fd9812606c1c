import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngineFaceFinder } from '../../src/training/dataset/engine-face-finder.js';
import { readRgbPicture } from '../../src/training/dataset/rgb-picture.js';
import { measureBoxes } from '../../src/training/face-weights/measure-boxes.js';
import { makeTinyModels, noisePicture, TINY_MARGIN, type TinyModels } from '../support/tiny-models.js';
import { scene } from '../unit/training/evaluation/faces.js';

let models: TinyModels;
let folder: string;

beforeAll(async () => {
  models = await makeTinyModels();
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-face-weights-'));
});
afterAll(() => Promise.all([models.remove(), rm(folder, { recursive: true })]));

describe('measureBoxes', () => {
  it('tells what each look says of boxes on faces and on what people said is none, and of no others', async () => {
    const path = join(folder, 'noise.png');
    const { buffer } = noisePicture(96, 96, 4);
    await sharp(Buffer.from(new Uint8Array(buffer)), { raw: { width: 96, height: 96, channels: 3 } }).toFile(
      path,
    );
    const finder = await openEngineFaceFinder({
      ...{ modelDir: models.detectorDir, sizePx: 96, scoreThreshold: 0.2 },
    });
    const found = await finder.find(await readRgbPicture(path));
    await finder.close();
    const apart = found.filter(({ box }) => box.width > 4 && box.height > 4);
    expect(apart.length).toBeGreaterThan(2);
    const [face, unlabelled, other] = [apart[0]!, apart[1]!, apart.at(-1)!];

    const picture = scene('noise.png', {
      ...{ path, width: 96, height: 96, notFaces: [other.box], unclassified: [unlabelled.box] },
      faces: [{ box: face.box, label: 'with_mask' }],
    });
    const measure = (classifierDir: string, scoreThreshold = 0.2) =>
      measureBoxes([picture], {
        detector: { dir: models.detectorDir, sizePx: 96, scoreThreshold },
        ...{ classifierDir, closeUp: { sizePx: 64, marginRatio: 0.5 } },
      });
    const boxes = await measure(models.classifierDir);
    expect(boxes.length).toBeLessThan(found.length);
    const surer = await measure(models.classifierDir, other.score + 1e-3);
    expect(surer.length).toBeGreaterThan(0);
    expect(surer).toEqual(boxes.filter(({ detection }) => detection >= other.score + 1e-3));
    const [onFace, onUnlabelled, onOther] = [
      [true, false],
      [true, true],
      [false, false],
    ].map((kind) => boxes.find((box) => box.isFace === kind[0] && box.isUnlabelled === kind[1])!);
    expect(onFace!.detection).toBeCloseTo(face.score, 4);
    expect(onUnlabelled!.detection).toBeCloseTo(unlabelled.score, 4);
    expect(onOther!.detection).toBeGreaterThanOrEqual(0.2);
    for (const { crop, closeUp, context } of boxes) {
      expect(crop).toBeGreaterThan(0);
      expect(crop).toBeLessThan(1);
      expect(closeUp).toBeGreaterThanOrEqual(0.01);
      // The tiny classifier's manifest has no margin for what is around a box.
      expect(context).toBeNull();
    }

    const lookingAround = async (contextMarginRatio: number) =>
      measure(await models.classifierWith('looking-around', { crop: { contextMarginRatio } }));
    // With the same margin it is the same crop.
    for (const { crop, context } of await lookingAround(TINY_MARGIN)) expect(context).toBeCloseTo(crop, 6);
    const off = (await lookingAround(3)).map(({ crop, context }) => Math.abs(context! - crop));
    expect(Math.max(...off)).toBeGreaterThan(1e-3);
  });
});
