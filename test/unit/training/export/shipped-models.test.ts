import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ModelManifest, verifyManifest } from '../../../../src/inference/manifest.js';
import { loadNativeTensorFlow } from '../../../../src/inference/tfjs-native.js';
import { mobileNetV2, readBackboneWeights } from '../../../../src/training/export/mobilenet-v2.js';
import { writeOnnx } from '../../../../src/training/export/onnx-writer.js';
import type { TfjsModelFiles } from '../../../../src/training/export/tfjs-writer.js';
import {
  largestDifference,
  type Outputs,
  randomPixels,
  runOnnxOnPixels,
  runSavedModel,
  runTfjs,
  seededRandom,
} from './engines.js';

const { native } = await loadNativeTensorFlow({ threads: 1 });
const modelsDir = fileURLToPath(new URL('../../../../models/', import.meta.url));
const names = (await readdir(modelsDir, { withFileTypes: true }))
  // `data` holds splits and corrections.
  .filter((entry) => entry.isDirectory() && entry.name !== 'data')
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

  /** A batch of noise, and what ONNX Runtime makes of it. */
  const prepare = async () => {
    const { manifest } = await verifyManifest(modelDir);
    const shape = [2, manifest.input.heightPx ?? 96, manifest.input.widthPx ?? 128, 3];
    const pixels = randomPixels(seededRandom(8), shape);
    const model = await readFile(join(modelDir, manifest.forms.onnx.file));
    return { manifest, shape, pixels, onnx: await runOnnxOnPixels(model, pixels, shape) };
  };

  it('gives the same scores in ONNX Runtime and TensorFlow.js, within 1e-3', async () => {
    const { manifest, shape, pixels, onnx } = await prepare();
    for (const output of manifest.outputs)
      expect(
        onnx.get(output.name)?.shape.map((side, axis) => (output.shape[axis] === null ? null : side)),
      ).toEqual(output.shape);
    expectSame(await runTfjs(await tfjsFiles(modelDir), 'wasm', pixels, shape), onnx, manifest);
  });

  it.skipIf(!native)('and as a frozen SavedModel (needs native TensorFlow.js)', async () => {
    const { manifest, shape, pixels, onnx } = await prepare();
    expectSame(await runSavedModel(native!.tf, await tfjsFiles(modelDir), pixels, shape), onnx, manifest);
  });
});

function expectSame(found: Outputs, onnx: Outputs, manifest: ModelManifest): void {
  expect([...onnx.keys()].sort()).toEqual(manifest.outputs.map((output) => output.name).sort());
  for (const { name } of manifest.outputs) {
    expect(found.get(name)?.shape).toEqual(onnx.get(name)?.shape);
    expect(largestDifference(onnx.get(name)?.data ?? [], found.get(name)?.data ?? []), name).toBeLessThan(
      1e-3,
    );
  }
}

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
