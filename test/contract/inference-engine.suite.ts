import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine, LoadedModel, Tensor } from '../../src/inference/engine.js';
import { runPlainly } from '../support/plain-network.js';
import {
  makeTinyModels,
  randomNumbers,
  TINY_CROP_PX,
  type TinyModels,
  tinyClassifier,
  tinyDetector,
} from '../support/tiny-models.js';

/** Scores of any two engines differ by less than this; so does each from the plain computation. */
const TOLERANCE = 1e-3;
const CROP_BYTES = TINY_CROP_PX * TINY_CROP_PX * 3;

function randomPixels(length: number, seed: number): Uint8Array {
  const next = randomNumbers(seed);
  return Uint8Array.from({ length }, () => next() * 256);
}

function worstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(...Array.from(expected, (value, i) => Math.abs(value - actual[i]!)));
}

/** What every adapter of the `InferenceEngine` port must do. */
export function describeInferenceEngine(
  name: string,
  open: () => Promise<InferenceEngine>,
  expected: { readonly engine: string; readonly device: RegExp },
): void {
  describe(`InferenceEngine: ${name}`, () => {
    let models: TinyModels;
    let engine: InferenceEngine;
    let classifier: LoadedModel;
    let detector: LoadedModel;

    beforeAll(async () => {
      models = await makeTinyModels();
      engine = await open();
      classifier = await engine.load(models.classifierDir);
      detector = await engine.load(models.detectorDir);
    });
    afterAll(async () => {
      await engine?.close();
      await models?.remove();
    });

    const crops = (count: number, seed = 1): Record<string, Tensor> => ({
      pixels: {
        data: randomPixels(count * CROP_BYTES, seed),
        shape: [count, TINY_CROP_PX, TINY_CROP_PX, 3],
      },
    });

    it('says what it is and why', () => {
      expect(engine.info.engine).toBe(expected.engine);
      expect(engine.info.device).toMatch(expected.device);
      expect(engine.info.version).toMatch(/^\d+\.\d+\.\d+/);
      expect(engine.info.reason).not.toBe('');
    });

    it.each([1, 2, 3, 8, 17, 64])(
      'scores each crop of a batch of %i as the plain computation does',
      async (count) => {
        const inputs = crops(count, count);
        const { scores } = await classifier.run(inputs);
        expect(scores?.shape).toEqual([count, 3]);
        expect(scores?.data).toBeInstanceOf(Float32Array);
        for (let i = 0; i < count; i++) {
          const pixels = inputs.pixels!.data.subarray(i * CROP_BYTES, (i + 1) * CROP_BYTES) as Uint8Array;
          const plain = runPlainly(tinyClassifier(), pixels, TINY_CROP_PX, TINY_CROP_PX);
          const row = scores!.data.subarray(3 * i, 3 * i + 3);
          expect(worstDifference(row, plain.scores!)).toBeLessThan(TOLERANCE);
        }
      },
    );

    it.each([
      [64, 96],
      [96, 32],
    ])(
      'gives every output of a picture of %i × %i pixels, in the manifest’s layout',
      async (height, width) => {
        const data = randomPixels(height * width * 3, 7);
        const outputs = await detector.run({ pixels: { data, shape: [1, height, width, 3] } });
        const plain = runPlainly(tinyDetector(), data, height, width);
        expect(Object.keys(outputs).sort()).toEqual(Object.keys(plain).sort());
        for (const [output, values] of Object.entries(plain))
          expect(worstDifference(outputs[output]!.data, values)).toBeLessThan(TOLERANCE);
        expect(outputs.kps_16?.shape).toEqual([1, height / 16, width / 16, 10]);
      },
    );

    it('keeps neither its inputs nor its outputs: both may be written to between runs', async () => {
      const inputs = crops(2);
      const first = (await classifier.run(inputs)).scores!;
      const kept = first.data.slice();
      inputs.pixels!.data.fill(255);
      const second = (await classifier.run(inputs)).scores!;
      expect(first.data).toEqual(kept);
      expect(worstDifference(second.data, kept)).toBeGreaterThan(TOLERANCE);
      second.data.fill(0);
      expect((await classifier.run(crops(2))).scores!.data).toEqual(kept);
    });

    it('gives each of many calls made at once its own answer', async () => {
      const inputs = [1, 2, 3, 4, 5, 6].map((seed) => crops(seed, seed));
      const together = await Promise.all(inputs.map((input) => classifier.run(input)));
      for (const [index, input] of inputs.entries()) {
        const alone = await classifier.run(input);
        expect(worstDifference(together[index]!.scores!.data, alone.scores!.data)).toBeLessThan(1e-5);
      }
    });

    it.each<[string, () => Record<string, Tensor>]>([
      ['another name', () => ({ picture: crops(1).pixels! })],
      ['too few bytes', () => ({ pixels: { data: new Uint8Array(10), shape: [1, 32, 32, 3] } })],
      ['another size', () => ({ pixels: { data: new Uint8Array(3072), shape: [1, 16, 64, 3] } })],
      ['floats', () => ({ pixels: { data: new Float32Array(CROP_BYTES), shape: [1, 32, 32, 3] } })],
    ])('refuses %s and goes on', async (_, inputs) => {
      await expect(classifier.run(inputs())).rejects.toMatchObject({ code: 'INFERENCE_BAD_INPUT' });
      expect((await classifier.run(crops(1))).scores?.shape).toEqual([1, 3]);
    });

    describe('a model that is not right', () => {
      let broken: string;
      const manifestPath = () => join(broken, 'manifest.json');

      beforeAll(() => {
        broken = join(models.dir, 'broken');
      });
      const copy = async () => {
        await rm(broken, { recursive: true, force: true });
        await cp(models.classifierDir, broken, { recursive: true });
      };

      it('is not there', async () => {
        await expect(engine.load(join(models.dir, 'nowhere'))).rejects.toMatchObject({
          code: 'MODEL_NOT_FOUND',
          exitCode: 3,
        });
      });

      it('lacks its files', async () => {
        await copy();
        await rm(join(broken, 'model.onnx'));
        await rm(join(broken, 'tfjs', 'model.json'));
        await expect(engine.load(broken)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND', exitCode: 3 });
      });

      it('has a broken manifest', async () => {
        await copy();
        await writeFile(manifestPath(), '{"formatVersion": 2}');
        await expect(engine.load(broken)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
      });

      it('has broken files', async () => {
        await copy();
        await writeFile(join(broken, 'model.onnx'), 'no model');
        await writeFile(join(broken, 'tfjs', 'model.json'), 'no model');
        await expect(engine.load(broken)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
      });

      it.each(['input', 'output'])('has another %s than its manifest says', async (what) => {
        await copy();
        const manifest = JSON.parse(await readFile(manifestPath(), 'utf8')) as {
          input: { name: string };
          outputs: [{ name: string }];
        };
        (what === 'input' ? manifest.input : manifest.outputs[0]).name = 'wrong';
        await writeFile(manifestPath(), JSON.stringify(manifest));
        await expect(engine.load(broken)).rejects.toMatchObject({
          code: 'MODEL_INVALID',
          message: expect.stringContaining('wrong'),
        });
      });
    });

    it('fails, and does not crash, when a closed model is run', async () => {
      const model = await engine.load(models.classifierDir);
      await model.close();
      await model.close();
      await expect(model.run(crops(1))).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
      expect((await classifier.run(crops(1))).scores?.shape).toEqual([1, 3]);
    });
  });
}
