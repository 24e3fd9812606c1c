import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareClip, prepareClips, readDurationMs } from '../../src/demo/prepare-clip.js';
import { RtspServer } from '../../src/demo/rtsp/server.js';
import { FFMPEGS, npmFfmpeg } from '../support/ingest-clips.js';
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

it('reads durations', () => {
  expect(readDurationMs('  Duration: 01:02:03.45, start: 0.0')).toBe(3_723_450);
  expect(readDurationMs('  Duration: N/A')).toBeNull();
});
