import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readManifest, verifyManifest } from '../../../../src/inference/manifest.js';
import { exportModel } from '../../../../src/training/export/export-model.js';
import { maskClassifier } from '../../../../src/training/export/mask-classifier.js';
import type { Network } from '../../../../src/training/export/network.js';
import { writeOnnx } from '../../../../src/training/export/onnx-writer.js';
import { readTfjsWeights } from '../../../../src/training/export/tfjs-weights.js';
import { largestDifference, randomPixels, randomTensor, runOnnxOnPixels, seededRandom } from './engines.js';
import { runReference } from './reference.js';

const random = seededRandom(4);
const backbone: Network = {
  name: 'tiny',
  nodes: [
    { op: 'input', name: 'picture', heightPx: 8, widthPx: 8 },
    { op: 'normalise', name: 'float', input: 'picture', scale: 1 / 127.5, offset: -1 },
    {
      op: 'conv',
      name: 'stem',
      input: 'float',
      kernel: randomTensor(random, [3, 3, 3, 6]),
      bias: randomTensor(random, [6]),
      stride: 2,
      padding: 'same',
      activation: 'relu6',
    },
  ],
  outputs: [{ name: 'features', node: 'stem' }],
};
const kernel = randomTensor(random, [96, 3], 1);
const bias = randomTensor(random, [3]);
const head = [{ kernel, bias, activation: 'none' as const }];
const classifier = maskClassifier({ name: 'tiny-mask', backbone, head, temperature: 2 });
const pixels = randomPixels(random, [3, 8, 8, 3]);

const manifestFields = {
  name: 'tiny-mask',
  version: '0.0.1',
  task: 'mask-classification' as const,
  description: 'for tests',
  license: 'Apache-2.0',
  origin: ['made up'],
  labels: ['with_mask', 'without_mask', 'mask_worn_incorrectly'],
  crop: { marginRatio: 0.4, square: true as const },
  temperature: 2,
};
const outputs = { scores: { meaning: 'score of each label' } };

describe('mask classifier', () => {
  it('divides the logits by the temperature before the softmax', async () => {
    const found = await runOnnxOnPixels(writeOnnx(classifier), pixels, [3, 8, 8, 3]);
    const features = runReference(backbone, pixels, [3, 8, 8, 3]).get('features')?.data ?? new Float64Array();
    for (let n = 0; n < 3; n++) {
      const logits = [0, 1, 2].map((o) => {
        let sum = bias.data[o] as number;
        for (let i = 0; i < 96; i++)
          sum += (features[n * 96 + i] as number) * (kernel.data[i * 3 + o] as number);
        return Math.exp(sum / 2);
      });
      const total = logits.reduce((a, b) => a + b);
      const scores = found.get('scores')?.data.subarray(n * 3, n * 3 + 3) ?? [];
      expect(
        largestDifference(
          scores,
          logits.map((value) => value / total),
        ),
      ).toBeLessThan(1e-5);
    }
  });

  it('refuses a head that does not end in one plain logit a label', () => {
    const wrong = [{ kernel, bias, activation: 'relu' as const }];
    expect(() => maskClassifier({ name: 'x', backbone, head: wrong })).toThrow(/plain logits/);
    expect(() => maskClassifier({ name: 'x', backbone, head, temperature: 0 })).toThrow(/temperature/);
  });
});

describe('a model folder', () => {
  let modelDir: string;
  beforeEach(async () => {
    modelDir = await mkdtemp(join(tmpdir(), 'maskwatch-model-'));
  });
  afterEach(() => rm(modelDir, { recursive: true, force: true }));

  it('is written whole and verifies', async () => {
    const written = await exportModel(classifier, {
      modelDir,
      manifest: manifestFields,
      outputs,
      card: '# tiny\n',
    });
    const { manifest, problems } = await verifyManifest(modelDir);
    expect(problems).toEqual([]);
    expect(manifest).toEqual(written);
    expect(manifest.input).toEqual({
      name: 'pixels',
      layout: 'NHWC',
      type: 'uint8',
      colour: 'rgb',
      heightPx: 8,
      widthPx: 8,
    });
    expect(manifest.outputs).toEqual([{ name: 'scores', shape: [null, 3], meaning: 'score of each label' }]);
    expect(await readFile(join(modelDir, 'README.md'), 'utf8')).toBe('# tiny\n');
    const weights = await readTfjsWeights(modelDir);
    expect(weights.get('logits_kernel')?.data).toEqual(kernel.data.map((value) => value / 2));
  });

  it('tells which file is missing, cut or changed', async () => {
    await exportModel(classifier, { modelDir, manifest: manifestFields, outputs });
    const onnx = await readFile(join(modelDir, 'model.onnx'));
    onnx[onnx.length - 5] = (onnx[onnx.length - 5] as number) ^ 1;
    await writeFile(join(modelDir, 'model.onnx'), onnx);
    await writeFile(join(modelDir, 'tfjs', 'model.json'), '{}');
    await rm(join(modelDir, 'tfjs', 'weights.bin'));
    const { problems } = await verifyManifest(modelDir);
    expect(problems.map(({ file, problem }) => [file, problem])).toEqual([
      ['model.onnx', 'sha256'],
      ['tfjs/model.json', 'size'],
      ['tfjs/weights.bin', 'missing'],
    ]);
  });

  it('is not begun when the manifest would break the schema', async () => {
    const manifest = { ...manifestFields, name: 'Not A Name' };
    const writing = exportModel(classifier, { modelDir, manifest, outputs });
    await expect(writing).rejects.toMatchObject({ code: 'EXPORT_MANIFEST_INVALID' });
    await expect(
      exportModel(classifier, { modelDir, manifest: manifestFields, outputs: {} }),
    ).rejects.toThrow(/outputs\.0\.meaning/);
    await expect(readManifest(modelDir)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND', exitCode: 3 });
  });

  it('says what is wrong with a manifest', async () => {
    await exportModel(classifier, { modelDir, manifest: manifestFields, outputs });
    const path = join(modelDir, 'manifest.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    manifest.forms.onnx.file = '../../etc/passwd';
    manifest.colour = 'bgr';
    await writeFile(path, JSON.stringify(manifest));
    await expect(readManifest(modelDir)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/forms\.onnx\.file: must stay in the folder.*colour/),
    });
    await writeFile(path, '{');
    await expect(readManifest(modelDir)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });
});
