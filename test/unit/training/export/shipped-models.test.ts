import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { verifyManifest } from '../../../../src/inference/manifest.js';
import { mobileNetV2, readBackboneWeights } from '../../../../src/training/export/mobilenet-v2.js';
import { writeOnnx } from '../../../../src/training/export/onnx-writer.js';
import type { TfjsModelFiles } from '../../../../src/training/export/tfjs-writer.js';
import { largestDifference, randomPixels, runOnnxOnPixels, runTfjs, seededRandom } from './engines.js';

const modelsDir = fileURLToPath(new URL('../../../../models/', import.meta.url));
const names = (await readdir(modelsDir, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

async function tfjsFiles(modelDir: string): Promise<TfjsModelFiles> {
  const modelJson = JSON.parse(await readFile(join(modelDir, 'tfjs', 'model.json'), 'utf8'));
  const weightsFile = 'weights.bin';
  return { modelJson, weightsFile, weights: await readFile(join(modelDir, 'tfjs', weightsFile)) };
}

it('ships the detector and the backbone', () => {
  expect(names).toEqual(expect.arrayContaining(['yunet-n', 'imagenet-mobilenetv2']));
});

describe.each(names)('models/%s', (name) => {
  const modelDir = join(modelsDir, name);

  it('has every file as its manifest says, a name and a card', async () => {
    const { manifest, problems } = await verifyManifest(modelDir);
    expect(problems).toEqual([]);
    expect(manifest.name).toBe(name);
    const card = await readFile(join(modelDir, 'README.md'), 'utf8');
    for (const fact of [name, manifest.license]) expect(card).toContain(fact);
  });

  it('gives the same scores in both engines, within 1e-3', async () => {
    const { manifest } = await verifyManifest(modelDir);
    const shape = [2, manifest.input.heightPx ?? 96, manifest.input.widthPx ?? 128, 3];
    const pixels = randomPixels(seededRandom(8), shape);
    const onnx = await runOnnxOnPixels(
      await readFile(join(modelDir, manifest.forms.onnx.file)),
      pixels,
      shape,
    );
    const tfjs = await runTfjs(await tfjsFiles(modelDir), 'wasm', pixels, shape);
    expect([...onnx.keys()].sort()).toEqual(manifest.outputs.map((output) => output.name).sort());
    for (const output of manifest.outputs) {
      const found = onnx.get(output.name);
      expect(found?.shape.map((side, axis) => (output.shape[axis] === null ? null : side))).toEqual(
        output.shape,
      );
      expect(tfjs.get(output.name)?.shape).toEqual(found?.shape);
      expect(
        largestDifference(found?.data ?? [], tfjs.get(output.name)?.data ?? []),
        output.name,
      ).toBeLessThan(1e-3);
    }
  });
});

it('a training starts from the weights of the shipped backbone', async () => {
  const modelDir = join(modelsDir, 'imagenet-mobilenetv2');
  const network = mobileNetV2({ weights: await readBackboneWeights(modelDir), sizePx: 96 });
  const pixels = randomPixels(seededRandom(8), [1, 96, 96, 3]);
  const rebuilt = await runOnnxOnPixels(writeOnnx(network), pixels, [1, 96, 96, 3]);
  const shipped = await runOnnxOnPixels(await readFile(join(modelDir, 'model.onnx')), pixels, [1, 96, 96, 3]);
  const features = rebuilt.get('features')?.data ?? new Float32Array();
  expect(Math.max(...features)).toBeGreaterThan(0.5);
  expect(largestDifference(features, shipped.get('features')?.data ?? [])).toBeLessThan(1e-3);
});
