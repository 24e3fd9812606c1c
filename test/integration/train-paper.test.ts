import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readManifest, verifyManifest } from '../../src/inference/manifest.js';
import { modelsDir } from '../../src/lib/package-paths.js';
import { seededRandom } from '../../src/lib/random.js';
import { runPaperTraining } from '../../src/training/paper/run-paper.js';
import { type PaperRecipe, paper } from '../../src/training/recipes/paper.js';
import type { TrainingProgress } from '../../src/training/train.js';
import { readEvents } from '../support/read-tf-records.js';
import { runCli } from '../support/run-cli.js';

/* The paper's recipe in small, on made-up pictures (bright below or above), with the real backbone. */
const recipe: PaperRecipe = {
  ...paper,
  inputPx: 64,
  hiddenUnits: 8,
  optimisation: { ...paper.optimisation, batchSize: 8, maxEpochs: 2 },
};

let root: string;
let data: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'maskwatch-paper-'));
  data = join(root, 'data');
  const random = seededRandom(5);
  for (const [part, count] of [
    ['train', 20],
    ['validation', 6],
  ] as const)
    for (const [labelIndex, label] of recipe.labels.entries()) {
      await mkdir(join(data, part, label), { recursive: true });
      for (let i = 0; i < count; i++)
        await picture(labelIndex === 0, () => random.between(0, 90)).toFile(
          join(data, part, label, `${i}.png`),
        );
    }
});
afterAll(() => rm(root, { recursive: true, force: true }));

function picture(isBrightBelow: boolean, noise: () => number): Sharp {
  const pixels = Buffer.alloc(48 * 40 * 3);
  for (let i = 0; i < pixels.length; i++)
    pixels[i] = noise() + (Math.floor(i / (48 * 3)) >= 20 === isBrightBelow ? 150 : 0);
  return sharp(pixels, { raw: { width: 48, height: 40, channels: 3 } });
}

function train(name: string, more: { progress?: TrainingProgress; signal?: AbortSignal } = {}) {
  return runPaperTraining({
    recipe,
    dataDirs: [data],
    outDir: join(root, name, 'models', 'small'),
    backboneDir: join(modelsDir(), 'imagenet-mobilenetv2'),
    seedCount: 2,
    logsDir: join(root, name, 'logs'),
    ...more,
  });
}

const sha256Of = async (name: string) =>
  (await readManifest(join(root, name, 'models', 'small'))).forms.onnx.sha256;

describe('train --recipe paper', () => {
  it('gives the same model for the same seeds, also across an interruption', async () => {
    const whole = await train('whole');
    expect(whole.data).toMatchObject({
      train: { with_mask: 20, without_mask: 20 },
      validation: { with_mask: 6, without_mask: 6 },
    });
    expect(whole.seeds.map(({ seed, epochs }) => [seed, epochs])).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(whole.seeds[0]!.validation.loss).not.toBe(whole.seeds[1]!.validation.loss);
    expect(whole.seeds[0]!.chosenOnHeldOutPart).toMatchObject({ trainedOn: 32, chosenOn: 8 });
    expect((await verifyManifest(join(root, 'whole', 'models', 'small'))).problems).toEqual([]);

    const stop = new AbortController();
    const progress: TrainingProgress = {
      begin: () => {},
      update: (_, text) => {
        if (text?.includes('loss')) stop.abort(new Error('interrupted'));
      },
      end: () => {},
    };
    await expect(train('parts', { progress, signal: stop.signal })).rejects.toThrow('interrupted');
    const kept = await readdir(join(root, 'parts', 'logs', 'seed-1'));
    expect(kept).toContain('as-in-the-paper.checkpoint');
    await train('parts');
    expect(await sha256Of('parts')).toBe(await sha256Of('whole'));
  });

  it('leaves curves, a card and a log that TensorBoard reads', async () => {
    const files = await readdir(join(root, 'whole', 'models', 'small', 'report'));
    expect(files).toEqual(expect.arrayContaining(['curves.png', 'confusion-1.png', 'report.html']));
    const card = await readFile(join(root, 'whole', 'models', 'small', 'README.md'), 'utf8');
    expect(card).toContain('20 with_mask, 20 without_mask');
    const board = join(root, 'whole', 'logs', 'seed-1', 'as-in-the-paper', 'validation');
    const [log] = await readdir(board);
    const events = readEvents(await readFile(join(board, log!)));
    expect(events.map(({ step }) => step)).toEqual([0, 1, 2]);
    expect(events[1]!.scalars).toHaveProperty('epoch_loss');
  });

  it('is judged on whole portraits, with the figures of its training', async () => {
    const report = await train('whole');
    const judged = await runCli([
      ...['evaluate', '--crops', join(data, 'validation'), '--no-corrections', '--json'],
      ...['--model', join(root, 'whole', 'models', 'small')],
    ]);
    expect(judged.stderr).not.toContain('"error"');
    const { count, accuracy, confusion } = JSON.parse(judged.stdout);
    expect(count).toBe(12);
    expect(accuracy).toBeCloseTo(report.validation.accuracy, 10);
    expect(confusion.rows).toEqual(report.validation.confusion.rows);
  });

  it('says what is wrong with data that it cannot use', async () => {
    const options = {
      recipe,
      outDir: join(root, 'x'),
      backboneDir: join(modelsDir(), 'imagenet-mobilenetv2'),
    };
    await expect(
      runPaperTraining({
        ...options,
        dataDirs: [join(data, 'train', '..', 'train')],
        seedCount: 1,
        logsDir: join(root, 'x'),
      }),
    ).rejects.toMatchObject({ code: 'DATA_TOO_FEW' });
  });
});
