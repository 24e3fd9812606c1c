import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaceDetection } from '../../src/domain/face.js';
import { MASK_LABELS } from '../../src/domain/label.js';
import { readManifest } from '../../src/inference/manifest.js';
import { modelsDir } from '../../src/lib/package-paths.js';
import { seededRandom } from '../../src/lib/random.js';
import type { FaceFinder } from '../../src/training/dataset/face-finder.js';
import { type FineTuneReport, runFineTune } from '../../src/training/fine-tune/run-fine-tune.js';
import { startingNetwork } from '../../src/training/fine-tune/starting-network.js';
import { startTensorFlow } from '../../src/training/head/tensorflow.js';
import { type FineTuneRecipe, fineTuneRecipeSchema } from '../../src/training/recipes/fine-tune-recipe.js';
import { production } from '../../src/training/recipes/production.js';

/*
 * The whole of a fine-tuning on made-up scenes: a "face" is a square with a bright band low, high or nowhere, and a
 * stand-in for the detector reports where it was put. Backbone, cutting threads, training and export are the real ones.
 */
const SIDE_PX = 120;
const FACE = { x: 40, y: 36, width: 40, height: 48 };
const BANDS = [
  [26, 46],
  [0, 0],
  [4, 20],
] as const;

let root: string;
const finder: FaceFinder = {
  id: 'stand-in',
  find: async (): Promise<FaceDetection[]> => {
    const at = (x: number, y: number) => ({ x: FACE.x + x, y: FACE.y + y });
    return [
      {
        box: FACE,
        score: 0.9,
        landmarks: [at(12, 14), at(28, 14), at(20, 26), at(13, 36), at(27, 36)],
        sharpness: 100,
      },
    ];
  },
  close: async () => {},
};

const recipe: FineTuneRecipe = fineTuneRecipeSchema.parse({
  ...production,
  name: 'tiny',
  inputPx: 32,
  lastFrozenNode: 'block_15',
  sources: {},
  otherSources: { ...production.sources['scenes/ilc'], paintedWeights: { with_mask: 0.01 }, minFacePx: 0 },
  variants: { ...production.variants, mask_worn_incorrectly: 3 },
  split: { ...production.split, twinMaxDistance: 0 },
  // Not the product's own: what is chosen there must not decide whether made-up squares are learnt in so few steps.
  cut: { ...production.cut, plainChance: 0.6 },
  labelShares: { with_mask: 0.5, without_mask: 0.4, mask_worn_incorrectly: 0.1 },
  optimisation: {
    ...production.optimisation,
    seed: 20261124,
    runs: 1,
    batchSize: 16,
    epochSamples: 400,
    maxEpochs: 2,
    warmUpSteps: 3,
    learningRate: 2e-3,
    averageDecay: 0.8,
    checkpointSteps: 4,
  },
});

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'maskwatch-fine-tune-'));
  const folder = join(root, 'data', 'squares');
  await mkdir(folder, { recursive: true });
  const random = seededRandom(5);
  const lines: string[] = [];
  for (let i = 0; i < 60; i++) {
    const labelIndex = i % MASK_LABELS.length;
    const pixels = Buffer.alloc(SIDE_PX * SIDE_PX * 3);
    const [from, to] = BANDS[labelIndex]!;
    for (let p = 0; p < pixels.length; p++) {
      const x = Math.floor(p / 3) % SIDE_PX;
      const y = Math.floor(p / (SIDE_PX * 3));
      const isFace = x >= FACE.x && x < FACE.x + FACE.width && y >= FACE.y && y < FACE.y + FACE.height;
      const isBand = isFace && y - FACE.y >= from && y - FACE.y < to;
      pixels[p] = isBand ? 235 : isFace ? [190, 130, 100][p % 3]! : random.between(0, 120);
    }
    await sharp(pixels, { raw: { width: SIDE_PX, height: SIDE_PX, channels: 3 } }).toFile(
      join(folder, `${i}.png`),
    );
    const faces = [{ ...FACE, label: MASK_LABELS[labelIndex] }];
    lines.push(JSON.stringify({ file: `${i}.png`, width: SIDE_PX, height: SIDE_PX, faces }));
  }
  await writeFile(join(folder, 'annotations.jsonl'), `${lines.join('\n')}\n`);
});
afterAll(() => rm(root, { recursive: true, force: true }));

function run(
  name: string,
  options: {
    recipe?: FineTuneRecipe;
    startDir?: string;
    signal?: AbortSignal;
    isResumed?: boolean;
    stopAtStep?: number;
  } = {},
): Promise<FineTuneReport> {
  const controller = new AbortController();
  let step = '';
  return runFineTune(options.recipe ?? recipe, {
    dataDirs: [join(root, 'data')],
    // The name of the model stands in its files: the same in all runs.
    outDir: join(root, name, 'tiny'),
    runDir: join(root, name, 'run'),
    cacheDir: join(root, 'cache'),
    finder,
    detector: { dir: join(modelsDir(), 'yunet-mask'), sizePx: 640, scoreThreshold: 0.2 },
    backboneDir: join(modelsDir(), 'imagenet-mobilenetv2'),
    startDir: options.startDir,
    corrections: false,
    isResumed: options.isResumed ?? false,
    signal: controller.signal,
    progress: {
      begin: (label) => {
        step = label;
      },
      update: (done) => {
        if (step === 'training' && done === options.stopAtStep) controller.abort(new Error('stopped here'));
      },
      end: () => {},
    },
  });
}

const modelBytes = (name: string) => readFile(join(root, name, 'tiny', 'model.onnx'));

const backend = await startTensorFlow();

describe.skipIf(backend !== 'tensorflow')('fine-tuning (needs native TensorFlow)', () => {
  it('learns, and gives the same model when it is stopped in the midst of an epoch and goes on', async () => {
    const straight = await run('straight');
    expect(straight.epochs).toHaveLength(2);
    expect(straight.resumedAtStep).toBe(0);
    expect(straight.epochs[1]!.trainingLoss).toBeLessThan(straight.epochs[0]!.trainingLoss);
    expect(straight.validation.accuracy).toBeGreaterThan(0.8);
    expect(straight.judged.face?.keeping.length).toBeGreaterThan(2);

    await expect(run('broken', { stopAtStep: 14 })).rejects.toThrow('stopped here');
    const resumed = await run('broken', { isResumed: true });
    expect(resumed.resumedAtStep).toBe(12);
    expect(resumed.epochs.map(({ seconds, ...figures }) => figures)).toEqual(
      straight.epochs.map(({ seconds, ...figures }) => figures),
    );
    expect((await modelBytes('broken')).equals(await modelBytes('straight'))).toBe(true);

    // Another seed, another model: the comparison above could fail.
    const other = { ...recipe, optimisation: { ...recipe.optimisation, seed: 7 } };
    await run('other', { recipe: other });
    expect((await modelBytes('other')).equals(await modelBytes('straight'))).toBe(false);
    // What was left by the run before belongs to another recipe.
    await expect(run('other', { isResumed: true })).rejects.toMatchObject({ code: 'CHECKPOINT_OTHER_RUN' });
  }, 240_000);

  it('keeps the mean of two runs where it is better than both, also when stopped in the second', async () => {
    const twice = { ...recipe, optimisation: { ...recipe.optimisation, runs: 2 } };
    const straight = await run('twice', { recipe: twice });
    expect(straight.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    const { losses, meanLoss, kept } = straight.runs;
    expect(losses).toHaveLength(2);
    expect(losses[0]).not.toBe(losses[1]);
    const lowest = Math.min(...losses);
    expect(kept).toBe(meanLoss! < lowest ? 'mean' : losses.indexOf(lowest) + 1);
    expect(straight.judged.loss).toBe(Math.min(meanLoss!, lowest));

    await expect(run('twice-broken', { recipe: twice, stopAtStep: 64 })).rejects.toThrow('stopped here');
    const resumed = await run('twice-broken', { recipe: twice, isResumed: true });
    // Fifty steps of the first run, and those of the second up to its last checkpoint.
    expect(resumed.resumedAtStep).toBe(62);
    expect((await modelBytes('twice-broken')).equals(await modelBytes('twice'))).toBe(true);
  }, 240_000);

  it('ships scores and face, each calibrated, and writes report, log and split', async () => {
    const manifest = await readManifest(join(root, 'straight', 'tiny'));
    // Made-up squares give the detector too little to weigh; better no weights than chance.
    expect(manifest).not.toHaveProperty('faceWeights');
    expect(manifest.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['scores', [null, 3]],
      ['face', [null, 1]],
    ]);
    // As it was validated, so it is used.
    const { marginRatio, uprightFromDegrees, contextMarginRatio } = recipe;
    expect(manifest.crop).toMatchObject({ marginRatio, uprightFromDegrees, contextMarginRatio });
    const session = await InferenceSession.create(await modelBytes('straight'));
    const pixels = Uint8Array.from({ length: 2 * 32 * 32 * 3 }, (_, i) => (i * 7) % 256);
    const outputs = await session.run({ pixels: new Tensor('uint8', pixels, [2, 32, 32, 3]) });
    const scores = outputs.scores!.data as Float32Array;
    expect(scores[0]! + scores[1]! + scores[2]!).toBeCloseTo(1, 5);
    for (const value of outputs.face!.data as Float32Array) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
    }
    await session.release();
    const runDir = join(root, 'straight', 'run');
    expect(await readFile(join(runDir, 'report', 'report.html'), 'utf8')).toContain('epoch');
    const training = JSON.parse(await readFile(join(root, 'straight', 'tiny', 'training.json'), 'utf8'));
    expect(training.recipe).toEqual(recipe);
    const split = JSON.parse(await readFile(join(root, 'straight', 'tiny', 'split.json'), 'utf8'));
    expect(Object.values<string[]>(split.test).flat().length).toBeGreaterThan(4);
  });

  it('goes on from a trained model, and refuses one of another form', async () => {
    const startDir = join(root, 'straight', 'tiny');
    const before = JSON.parse(await readFile(join(startDir, 'training.json'), 'utf8')) as FineTuneReport;
    // So slow that whatever the model knows afterwards it has brought along.
    const optimisation = { ...recipe.optimisation, maxEpochs: 1, learningRate: 1e-9 };
    const slow: FineTuneRecipe = { ...recipe, startsFrom: 'model', optimisation };
    const after = await run('refined', { recipe: slow, startDir });
    expect(after.startedFrom).toMatch(/^tiny \d+\.\d+\.\d+$/);
    expect(after.validation.accuracy).toBe(before.validation.accuracy);
    // Calibrated once more, so it may be lower; a network that had to begin anew would be near one nat.
    expect(after.judged.loss).toBeLessThan(before.judged.loss + 1e-3);
    const manifest = await readManifest(join(root, 'refined', 'tiny'));
    const start = await readManifest(startDir);
    expect(manifest.origin[1]).toContain(`began from: ${after.startedFrom}`);
    expect(manifest.origin.slice(2)).toEqual(start.origin);
    // What was left by that run began elsewhere than with a model of another seed.
    await expect(
      run('refined', { recipe: slow, startDir: join(root, 'other', 'tiny'), isResumed: true }),
    ).rejects.toMatchObject({ code: 'CHECKPOINT_OTHER_RUN' });

    const backboneDir = join(modelsDir(), 'imagenet-mobilenetv2');
    const refused = (change: Partial<FineTuneRecipe>, from: string, fault: string) =>
      expect(startingNetwork({ ...slow, ...change }, { backboneDir, startDir: from })).rejects.toMatchObject({
        code: 'TRAIN_START_UNFIT',
        message: expect.stringContaining(fault),
      });
    await refused({}, backboneDir, 'it has no output face');
    await refused({}, join(modelsDir(), 'mask-mobilenetv2'), 'its input is 192 × 192 px, not 32');
    await refused(
      { width: 0.75 },
      startDir,
      'its weights stem_kernel are 3 × 3 × 3 × 32, not 3 × 3 × 3 × 24',
    );
    await appendFile(join(root, 'other', 'tiny', 'tfjs', 'weights.bin'), 'x');
    await refused({}, join(root, 'other', 'tiny'), 'weights.bin has');
  }, 120_000);

  it('names the step at which the loss is no number', async () => {
    const wild = { ...recipe, optimisation: { ...recipe.optimisation, learningRate: 1e30, warmUpSteps: 0 } };
    await expect(run('wild', { recipe: wild })).rejects.toMatchObject({
      code: 'TRAIN_DIVERGED',
      message: expect.stringMatching(/step \d+ \(epoch 1\)/),
    });
  }, 120_000);

  it('says which label is missing', async () => {
    const narrow = {
      ...recipe,
      otherSources: { ...recipe.otherSources, weights: { with_mask: 1, without_mask: 1 } },
    };
    await expect(run('narrow', { recipe: narrow })).rejects.toMatchObject({ code: 'DATA_TOO_FEW' });
  }, 120_000);
});
