import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportModel } from '../../src/training/export/export-model.js';
import type { Network, NetworkNode, WeightTensor } from '../../src/training/export/network.js';

/** Models of a few kilobytes that need no training: what they answer is arbitrary, but theirs alone. */
export interface TinyModels {
  /** YuNet's outputs at strides 8, 16 and 32 for any size that is a multiple of 32. */
  readonly detectorDir: string;
  /** Three labels from a 32 × 32 crop. */
  readonly classifierDir: string;
  readonly dir: string;
  /**
   * Folder `name` in {@link dir}: the classifier with these entries of its manifest's `crop` changed, and with these
   * `faceWeights`. What an earlier call put there is overwritten.
   */
  classifierWith(name: string, changes: { crop?: object; faceWeights?: object }): Promise<string>;
  remove(): Promise<void>;
}

export const TINY_CROP_PX = 32;
export const TINY_MARGIN = 0.4;

export async function makeTinyModels(): Promise<TinyModels> {
  const dir = await mkdtemp(join(tmpdir(), 'maskwatch-tiny-models-'));
  const detectorDir = join(dir, 'tiny-detector');
  const classifierDir = join(dir, 'tiny-classifier');
  const common = {
    version: '1',
    description: 'For tests.',
    license: 'Apache-2.0',
    origin: ['made by a test'],
  };
  await exportModel(tinyDetector(), {
    modelDir: detectorDir,
    manifest: { ...common, name: 'tiny-detector', task: 'face-detection' },
    outputs: Object.fromEntries(
      OUTPUTS.map(({ name, kind, stride }) => [name, { meaning: kind, stride }] as const),
    ),
    multipleOf: 32,
  });
  await exportModel(tinyClassifier(), {
    modelDir: classifierDir,
    manifest: {
      ...common,
      name: 'tiny-classifier',
      task: 'mask-classification',
      // Not the order of the product's labels: who takes the place for the label is found out.
      labels: ['without_mask', 'mask_worn_incorrectly', 'with_mask'],
      crop: { marginRatio: TINY_MARGIN, square: true },
    },
    outputs: { scores: { meaning: 'probability of each label' }, face: { meaning: 'probability of a face' } },
  });
  const classifierWith: TinyModels['classifierWith'] = async (name, { crop, ...changes }) => {
    const changedDir = join(dir, name);
    await cp(classifierDir, changedDir, { recursive: true });
    const path = join(changedDir, 'manifest.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...manifest, crop: { ...manifest.crop, ...crop }, ...changes }));
    return changedDir;
  };
  const remove = () => rm(dir, { recursive: true, force: true });
  return { dir, detectorDir, classifierDir, classifierWith, remove };
}

const CHANNELS = { cls: 1, obj: 1, bbox: 4, kps: 10 } as const;
const STRIDES = [8, 16, 32] as const;
const OUTPUTS = STRIDES.flatMap((stride) =>
  (['cls', 'obj', 'bbox', 'kps'] as const).map((kind) => ({ kind, stride, name: `${kind}_${stride}` })),
);

/** What `tiny-detector` computes. */
export function tinyDetector(): Network {
  const nodes: NetworkNode[] = [
    { op: 'input', name: 'picture', heightPx: null, widthPx: null },
    { op: 'normalise', name: 'normal', input: 'picture', scale: 1 / 127.5, offset: -1 },
    conv('first', 'normal', 3, 6, 2, 1),
    conv('second', 'first', 6, 6, 2, 2),
    conv('level_8', 'second', 6, 6, 2, 3),
    conv('level_16', 'level_8', 6, 6, 2, 4),
    conv('level_32', 'level_16', 6, 6, 2, 5),
  ];
  for (const [index, { kind, stride, name }] of OUTPUTS.entries()) {
    const head = conv(`${name}_head`, `level_${stride}`, 6, CHANNELS[kind], 1, 10 + index, 'none');
    nodes.push(head);
    if (CHANNELS[kind] === 1) nodes.push({ op: 'sigmoid', name: `${name}_score`, input: head.name });
  }
  const outputs = OUTPUTS.map(({ kind, name }) => ({
    name,
    node: CHANNELS[kind] === 1 ? `${name}_score` : `${name}_head`,
  }));
  return { name: 'tiny-detector', nodes, outputs };
}

/** What `tiny-classifier` computes. */
export function tinyClassifier(): Network {
  return {
    name: 'tiny-classifier',
    nodes: [
      { op: 'input', name: 'picture', heightPx: TINY_CROP_PX, widthPx: TINY_CROP_PX },
      { op: 'normalise', name: 'normal', input: 'picture', scale: 1 / 127.5, offset: -1 },
      conv('first', 'normal', 3, 8, 2, 31),
      conv('second', 'first', 8, 8, 2, 32),
      { op: 'mean', name: 'features', input: 'second' },
      {
        op: 'dense',
        name: 'logits',
        input: 'features',
        kernel: weights([8, 3], 33, 4),
        bias: weights([3], 34, 0.5),
        activation: 'none',
      },
      { op: 'softmax', name: 'probabilities', input: 'logits' },
      {
        op: 'dense',
        name: 'face_logit',
        input: 'features',
        kernel: weights([8, 1], 35, 4),
        bias: weights([1], 36, 0.5),
        activation: 'none',
      },
      { op: 'sigmoid', name: 'face_probability', input: 'face_logit' },
    ],
    outputs: [
      { name: 'scores', node: 'probabilities' },
      { name: 'face', node: 'face_probability' },
    ],
  };
}

function conv(
  name: string,
  input: string,
  from: number,
  to: number,
  stride: 1 | 2,
  seed: number,
  activation: 'relu' | 'none' = 'relu',
): NetworkNode {
  return {
    op: 'conv',
    name,
    input,
    kernel: weights([3, 3, from, to], seed, 1 / Math.sqrt(from)),
    bias: weights([to], seed + 100, 0.2),
    stride,
    padding: { top: 1, left: 1, bottom: 1, right: 1 },
    activation,
  };
}

function weights(shape: readonly number[], seed: number, scale: number): WeightTensor {
  const length = shape.reduce((product, side) => product * side, 1);
  const next = randomNumbers(seed);
  return { shape, data: Float32Array.from({ length }, () => (next() * 2 - 1) * scale) };
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed * 7919;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A coloured picture of soft noise in shared memory; the same for the same seed. */
export function noisePicture(
  width: number,
  height: number,
  seed: number,
  content?: readonly [number, number],
) {
  const next = randomNumbers(seed);
  const buffer = new SharedArrayBuffer(width * height * 3);
  const data = new Uint8Array(buffer);
  let level = 128;
  for (let i = 0; i < data.length; i++) {
    level = Math.min(255, Math.max(0, level + (next() - 0.5) * 40));
    data[i] = level;
  }
  const [contentWidth, contentHeight] = content ?? [width, height];
  return { buffer, byteOffset: 0, width, height, contentWidth, contentHeight };
}
