import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ffmpegInstaller from '@ffmpeg-installer/ffmpeg';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { footageFile } from '../../src/demo/demo-cameras.js';
import type { DetectionLine, FailedLine } from '../../src/offline/detection-line.js';
import { type DetectSummary, runDetect } from '../../src/offline/run-detect.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-detect-'));
  // Two seconds of the demo's own footage, and one picture of it.
  const run = promisify(execFile);
  const clip = ['-v', 'error', '-y', '-ss', '2', '-i', footageFile('entrance')];
  await run(ffmpegInstaller.path, [...clip, '-t', '2', '-c:v', 'libx264', join(folder, 'clip.mp4')]);
  await run(ffmpegInstaller.path, [...clip, '-frames:v', '1', join(folder, 'picture.png')]);
  await writeFile(join(folder, 'broken.jpg'), 'this is text');
  await writeFile(join(folder, 'broken.mp4'), 'this is text too');
  await writeFile(join(folder, 'notes.txt'), 'not looked at');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function detect(
  paths: string[],
  outDir?: string,
): Promise<{ lines: (DetectionLine | FailedLine)[]; summary: DetectSummary }> {
  const lines: (DetectionLine | FailedLine)[] = [];
  const summary = await runDetect({
    paths,
    ...{ rateFps: 5, model: 'mask-mobilenetv2', engine: 'auto' as const },
    ...(outDir === undefined ? {} : { outDir }),
    signal: new AbortController().signal,
    onLine: (line) => lines.push(line),
  });
  return { lines, summary };
}

const isLine = (line: DetectionLine | FailedLine): line is DetectionLine => !('error' in line);

describe('detect', () => {
  it('reads a folder, tells what cannot be read and goes on with the others', async () => {
    const { lines, summary } = await detect([folder]);
    expect(summary).toMatchObject({ files: 4, failed: 2 });
    const failed = lines.filter((line) => !isLine(line)) as FailedLine[];
    expect(failed.map(({ error }) => error.code).sort()).toEqual(['PICTURE_UNREADABLE', 'VIDEO_UNREADABLE']);

    const picture = lines.filter(isLine).find(({ file }) => file.endsWith('picture.png'));
    expect(picture).toMatchObject({ frame: 0, timeMs: 0, width: 1280, height: 720 });
    // Two people, the left one with a mask, the right one without: where the picture shows them.
    const faces = [...(picture?.faces ?? [])].sort((a, b) => a.box.x - b.box.x);
    expect(faces).toHaveLength(2);
    expect(faces[0]!.box.x).toBeLessThan(400);
    expect(faces[1]!.box.x).toBeGreaterThan(700);
    for (const face of faces) {
      const { with_mask, without_mask, mask_worn_incorrectly } = face.scores;
      expect(with_mask + without_mask + mask_worn_incorrectly).toBeCloseTo(1, 2);
      expect(face.landmarks).toHaveLength(5);
    }

    const video = lines.filter(isLine).filter(({ file }) => file.endsWith('clip.mp4'));
    expect(video.map(({ frame }) => frame)).toEqual([...Array(10).keys()]);
    expect(video.map(({ timeMs }) => timeMs)).toEqual([...Array(10).keys()].map((index) => index * 200));
    // Both are followed under one id each.
    const ids = new Set(video.flatMap((line) => line.faces.map(({ trackId }) => trackId)));
    expect(ids.size).toBe(2);
  });

  it('draws boxes and a contact sheet', async () => {
    const out = join(folder, 'out');
    const { summary } = await detect([join(folder, 'picture.png'), join(folder, 'clip.mp4')], out);
    expect(summary.sheets).toHaveLength(1);
    const { width, height } = await sharp(summary.sheets[0] as string).metadata();
    // Three pictures side by side: the picture, and one of each second of the clip.
    expect(width).toBe(3 * 420);
    expect(height).toBeGreaterThan(200);
  });

  it('says which file is missing', async () => {
    await expect(detect([join(folder, 'nowhere.jpg')])).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      exitCode: 2,
    });
  });
});
