import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { footageFile } from '../../src/demo/demo-cameras.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { frameAt } from '../../src/training/faceless/clip-pictures.js';
import { runCli } from '../support/run-cli.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-faceless-cli-'));
  await sharp({ create: { width: 400, height: 300, channels: 3, background: '#4a6' } })
    .png()
    .toFile(join(folder, 'lawn.png'));
  // Two people walk towards the camera: to this command they are false boxes.
  const frame = await frameAt(footageFile('corridor'), 2000, await findFfmpeg());
  await sharp(frame).toFile(join(folder, 'corridor.png'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('evaluate --faceless', () => {
  it('counts boxes with the real models, a face as much as anything else', async () => {
    const { code, stdout } = await runCli(['evaluate', '--faceless', folder, '--json']);
    expect(code).toBe(0);
    const { count, falseBoxes, thresholds } = JSON.parse(stdout);
    expect(count).toBe(2);
    expect(falseBoxes.count).toBeGreaterThanOrEqual(1);
    expect(falseBoxes).toMatchObject({ picturesWithAny: 1, per100: falseBoxes.count * 50 });
    expect(falseBoxes.stages.detected.count).toBeGreaterThanOrEqual(falseBoxes.count);
    expect(thresholds.detectionScore).toBeGreaterThan(0);
  });

  it('goes with no option that needs labels, and needs a folder with pictures', async () => {
    for (const more of [['--scenes', folder], ['--gate'], ['--out', folder]])
      expect((await runCli(['evaluate', '--faceless', folder, ...more])).code).toBe(2);
    expect((await runCli(['evaluate', '--faceless', join(folder, 'nowhere')])).code).toBe(2);
  });
});
