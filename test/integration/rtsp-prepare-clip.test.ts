import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareClip, prepareClips, readDurationMs } from '../../src/demo/prepare-clip.js';
import { RtspServer } from '../../src/demo/rtsp/server.js';
import { FFMPEGS, npmFfmpeg } from '../support/ingest-clips.js';
import { pictureTimes, RtspTestClient } from '../support/rtsp-client.js';
import { decodePictures } from '../support/rtsp-playback.js';

const run = promisify(execFile);
let folder: string;
let npmPath: string;

/** A clip in whatever form `output` says. */
async function make(name: string, source: string, output: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await run(npmPath, ['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', source, ...output, path]);
  return path;
}

beforeAll(async () => {
  npmPath = (await npmFfmpeg()).path;
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-prepare-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

describe.each(FFMPEGS)('$name', ({ path, isPresent }) => {
  it.skipIf(!isPresent)('makes a playable camera of a large video of another codec, once', async () => {
    const ffmpegPath = path ?? npmPath;
    const cacheDir = join(folder, `cache of ${path ? 'system' : 'npm'}`);
    const mjpeg = ['-c:v', 'mjpeg', '-q:v', '10', '-pix_fmt', 'yuvj422p'];
    const file = await make('a: große & odd.avi', 'testsrc2=s=1601x1203:r=50:d=1', mjpeg);
    const shares: number[] = [];
    const options = { ffmpegPath, cacheDir, onProgress: (share: number) => shares.push(share) };
    const [clip = ''] = await prepareClips([file], options);
    expect(shares.at(-1)).toBe(1);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
    const { stderr } = await run(ffmpegPath, ['-hide_banner', '-i', clip, '-f', 'null', '-']);
    expect(stderr).toMatch(/Video: h264.*yuv420p.*\b958x720\b.*\b25 fps/);
    const madeMs = (await stat(clip)).mtimeMs;
    expect(await prepareClip(file, options)).toBe(clip);
    expect((await stat(clip)).mtimeMs).toBe(madeMs);
    expect(await readdir(cacheDir)).toHaveLength(1);
    const server = await RtspServer.open({ ffmpegPath, streams: [{ path: '/own', file: clip }] });
    try {
      const url = ['-rtsp_transport', 'tcp', '-i', server.url('/own')];
      expect(await decodePictures(ffmpegPath, url, 30)).toHaveLength(30);
    } finally {
      await server.close();
    }
  });

  it.skipIf(!isPresent).each([
    { form: { rateFps: 1, keyframeEveryS: 10 }, count: 21, keyframes: [0, 10, 20] },
    {
      form: { rateFps: 60, maxWidthPx: 100 },
      count: 1260,
      keyframes: Array.from({ length: 21 }, (_, i) => i),
    },
  ])(
    'makes clips of other rates and sizes, and keyframes as far apart as is asked: $form',
    async ({ form, count, keyframes }) => {
      const ffmpegPath = path ?? npmPath;
      const file = await make('21 s.mp4', 'testsrc2=s=160x90:r=10:d=21', ['-c:v', 'mpeg4']);
      const clip = await prepareClip(file, { ffmpegPath, cacheDir: join(folder, 'forms'), form });
      const usual = await prepareClip(file, { ffmpegPath, cacheDir: join(folder, 'forms') });
      expect(usual).not.toBe(clip);
      expect(await decodePictures(ffmpegPath, ['-i', clip], 10_000)).toHaveLength(count);
      const standing = await decodePictures(ffmpegPath, ['-skip_frame', 'nokey', '-i', clip], 10_000);
      expect(standing.map(({ pts }) => pts / form.rateFps)).toEqual(keyframes);
      const server = await RtspServer.open({ ffmpegPath, streams: [{ path: '/own', file: clip }] });
      const client = await RtspTestClient.open(server.url('/own'));
      try {
        await client.play();
        const times = pictureTimes(await client.receive(6));
        const steps = times.slice(1).map((time, index) => (time - times[index]!) | 0);
        expect(new Set(steps)).toEqual(new Set([90_000 / form.rateFps]));
      } finally {
        client.close();
        await server.close();
      }
    },
  );

  it.skipIf(!isPresent)('says what is wrong with a file that is no video, and leaves nothing', async () => {
    const cacheDir = join(folder, 'empty cache');
    const options = { ffmpegPath: path ?? npmPath, cacheDir };
    await mkdir(join(folder, 'folder.mp4'), { recursive: true });
    await writeFile(join(folder, 'text.mp4'), 'no video at all');
    await writeFile(join(folder, 'zero.mp4'), '');
    await writeFile(join(folder, 'list.m3u8'), '#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n');
    await make('sound.wav', 'sine=d=0.2', []);
    for (const [name, message] of [
      ['text.mp4', /Invalid data/],
      ['zero.mp4', /Invalid data/],
      ['list.m3u8', /cannot be played/],
      ['sound.wav', /no pictures/],
      ['folder.mp4', /no regular file/],
      ['missing.mp4', /no such file/],
    ] as const) {
      const failure = prepareClip(join(folder, name), options);
      await expect(failure).rejects.toMatchObject({
        code: 'DEMO_CLIP_UNREADABLE',
        exitCode: 2,
        message: expect.stringMatching(message),
      });
    }
    expect(await readdir(cacheDir)).toEqual([]);
  });
});

it('ends its ffmpeg when it is aborted', async () => {
  const file = await make('long.mp4', 'testsrc2=s=640x360:r=25:d=20', ['-c:v', 'mpeg4']);
  const cacheDir = join(folder, 'aborted');
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error('enough'));
  const preparing = prepareClip(file, {
    ffmpegPath: npmPath,
    cacheDir,
    onProgress,
    signal: controller.signal,
  });
  await expect(preparing).rejects.toThrow('enough');
  expect(await readdir(cacheDir)).toEqual([]);
});

it('says that there is no ffmpeg', async () => {
  const file = await make('short.mp4', 'testsrc2=s=64x64:d=0.2', []);
  const preparing = prepareClip(file, { ffmpegPath: join(folder, 'nothing'), cacheDir: folder });
  await expect(preparing).rejects.toMatchObject({ code: 'DEMO_CLIP_FAILED', exitCode: 3 });
});

it.each([{ rateFps: 0.5 }, { rateFps: 61 }, { keyframeEveryS: 0 }])('refuses %o', async (form) => {
  const preparing = prepareClip(join(folder, 'any.mp4'), { ffmpegPath: npmPath, form });
  await expect(preparing).rejects.toThrow(RangeError);
});

it('reads durations', () => {
  expect(readDurationMs('  Duration: 01:02:03.45, start: 0.0')).toBe(3_723_450);
  expect(readDurationMs('  Duration: N/A')).toBeNull();
});
