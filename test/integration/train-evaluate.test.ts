import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MASK_LABELS } from '../../src/domain/label.js';
import { verifyManifest } from '../../src/inference/manifest.js';
import { modelsDir } from '../../src/lib/package-paths.js';
import { seededRandom } from '../../src/lib/random.js';
import { readEvents } from '../support/read-tf-records.js';
import { runCli } from '../support/run-cli.js';

/*
 * Trains on made-up pictures without faces (a bright band high, low or nowhere), through the real command, the real
 * detector and the real backbone, then judges them with the model that came out.
 */
const PER_LABEL = 40;
const SIDE_PX = 96;

let root: string;
let data: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'maskwatch-train-'));
  data = join(root, 'bands');
  const random = seededRandom(11);
  for (const [labelIndex, label] of MASK_LABELS.entries()) {
    await mkdir(join(data, label), { recursive: true });
    for (let i = 0; i < PER_LABEL; i++)
      await band(labelIndex, random.index(2 ** 30)).toFile(join(data, label, `${i}.png`));
  }
});
afterAll(() => rm(root, { recursive: true, force: true }));

function band(labelIndex: number, seed: number): Sharp {
  const random = seededRandom(seed);
  const pixels = Buffer.alloc(SIDE_PX * SIDE_PX * 3);
  const [from, to] = [
    [56, 88],
    [0, 0],
    [8, 40],
  ][labelIndex] as [number, number];
  const tint = [random.between(160, 255), random.between(160, 255), random.between(160, 255)];
  for (let i = 0; i < pixels.length; i++) {
    const row = Math.floor(i / (SIDE_PX * 3));
    pixels[i] = row >= from && row < to ? tint[i % 3]! : random.between(20, 110);
  }
  return sharp(pixels, { raw: { width: SIDE_PX, height: SIDE_PX, channels: 3 } });
}

describe('train and evaluate', () => {
  it('trains a model that both commands and the manifest agree on', async () => {
    const out = join(root, 'models', 'bands');
    const cache = join(root, 'cache');
    const trained = await runCli([
      ...['train', '--recipe', 'baseline', '--data', data, '--out', out, '--cache', cache, '--json'],
    ]);
    expect(trained.stderr).not.toContain('maskwatch:');
    expect(trained.code).toBe(0);
    const report = JSON.parse(trained.stdout);
    expect(report).toMatchObject({ recipe: 'baseline', model: 'bands', out });
    expect(report.validation.accuracy).toBeGreaterThan(0.8);
    const { problems, manifest } = await verifyManifest(out);
    expect(problems).toEqual([]);
    expect(manifest).toMatchObject({
      name: 'bands',
      labels: [...MASK_LABELS],
      temperature: report.calibration.temperature,
    });
    expect(await readFile(join(out, 'README.md'), 'utf8')).toContain(`epoch ${report.bestEpoch}`);

    const run = join(cache, 'runs', 'bands');
    expect(await readFile(join(run, 'report', 'report.html'), 'utf8')).toContain('<h2>Curves</h2>');
    expect((await stat(join(run, 'report', 'curves.png'))).size).toBeGreaterThan(1000);
    const [log] = await readdir(join(run, 'tensorboard', 'validation'));
    const [version, ...events] = readEvents(await readFile(join(run, 'tensorboard', 'validation', log!)));
    expect(version?.fileVersion).toBe('brain.Event:2');
    expect(events.map(({ scalars }) => scalars.epoch_macro_f1)).toEqual(
      report.epochs.map((epoch: { validationMacroF1: number }) => expect.closeTo(epoch.validationMacroF1, 6)),
    );

    const split = JSON.parse(await readFile(join(out, 'split.json'), 'utf8'));
    const heldOut = Object.values<string[]>(split.test).flat().length;
    expect(heldOut).toBeGreaterThan(5);

    const reportDir = join(root, 'report');
    const judged = await runCli([
      ...['evaluate', '--crops', data, '--model', out, '--only', 'test', '--out', reportDir, '--json'],
    ]);
    expect(judged.code).toBe(0);
    const figures = JSON.parse(judged.stdout);
    expect(figures).toMatchObject({ model: 'bands', count: heldOut, notAssessable: { count: 0 } });
    expect(figures.accuracy).toBeGreaterThan(0.8);
    expect(JSON.parse(await readFile(join(reportDir, 'report.json'), 'utf8'))).toEqual(figures);
    expect(await readFile(join(reportDir, 'report.html'), 'utf8')).toContain('Confusion matrix');
    expect((await stat(join(reportDir, 'reliability.svg'))).size).toBeGreaterThan(500);
  }, 240_000);

  it('judges scenes end to end: a labelled face where none is found is a miss', async () => {
    const scenes = join(root, 'scenes');
    await mkdir(scenes);
    await band(0, 1).toFile(join(scenes, 'a.png'));
    const faces = [{ x: 10, y: 10, width: 60, height: 70, label: 'with_mask' }];
    await writeFile(
      join(scenes, 'annotations.jsonl'),
      `${JSON.stringify({ file: 'a.png', width: SIDE_PX, height: SIDE_PX, faces })}\n`,
    );
    const out = join(root, 'models', 'bands');
    const { code, stdout } = await runCli([
      'evaluate',
      '--scenes',
      scenes,
      '--model',
      out,
      '--complete',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      count: 1,
      accuracy: 0,
      detection: { recallByLabel: { with_mask: 0 }, ap50: 0 },
      givenTheBox: { count: 1 },
    });
  });

  it('puts a better model in the place of the present one, and a worse one not', async () => {
    const trained = join(root, 'models', 'bands');
    const present = join(root, 'models', 'present');
    const worse = join(modelsDir(), 'mask-mobilenetv2');
    await cp(worse, present, { recursive: true });
    const promote = (model: string) =>
      runCli(['evaluate', '--crops', data, '--model', model, '--compare', present, '--promote', '--json']);
    const weights = async (folder: string) => (await verifyManifest(folder)).manifest.forms;

    const better = await promote(trained);
    expect(JSON.parse(better.stdout).comparison.gate).toMatchObject({ isBetter: true });
    expect(better.code).toBe(0);
    const { problems, manifest } = await verifyManifest(present);
    expect(problems).toEqual([]);
    expect(manifest.name).toBe('present');
    expect(manifest.forms).toEqual(await weights(trained));

    const refused = await promote(worse);
    expect(JSON.parse(refused.stderr).error.code).toBe('MODEL_NOT_BETTER');
    expect(refused.code).toBe(1);
    expect(await weights(present)).toEqual(await weights(trained));
  }, 120_000);

  it.each([
    [['train', '--recipe', 'nope', '--data', '.', '--out', 'x'], 2, 'RECIPE_UNKNOWN'],
    [['train', '--recipe', 'baseline', '--data', '/nowhere', '--out', 'x'], 2, 'DATA_NOT_FOUND'],
    [
      ['train', '--recipe', 'production', '--data', '.', '--out', 'x', '--from', 'mask-mobilenetv2'],
      2,
      'CLI_USAGE',
    ],
    [
      ['train', '--recipe', 'refine', '--data', '.', '--out', 'x', '--from', 'no-such-model'],
      2,
      'MODEL_NOT_FOUND',
    ],
    [
      ['train', '--recipe', 'refine', '--data', '.', '--out', join(modelsDir(), 'mask-mobilenetv2')],
      2,
      'CLI_USAGE',
    ],
    [['evaluate'], 2, 'CLI_USAGE'],
    [['evaluate', '--crops', 'a', '--scenes', 'b'], 2, 'CLI_USAGE'],
    [['evaluate', '--crops', 'a', '--promote'], 2, 'CLI_USAGE'],
    [['evaluate', '--crops', 'a', '--suspects', '1.5'], 2, 'CLI_USAGE'],
    [['evaluate', '--crops', 'a', '--tags', '/nowhere.jsonl'], 2, 'DATA_NOT_FOUND'],
    [['evaluate', '--crops', '/nowhere', '--model', 'no-such-model'], 2, 'MODEL_NOT_FOUND'],
  ])('%j ends with code %i and %s', async (args, exitCode, code) => {
    const result = await runCli([...args, '--json']);
    expect(JSON.parse(result.stderr).error.code).toBe(code);
    expect(result.code).toBe(exitCode);
    expect(result.stdout).toBe('');
  });
});
