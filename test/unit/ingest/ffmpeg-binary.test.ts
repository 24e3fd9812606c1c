import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../../src/ingest/ffmpeg-binary.js';

describe('findFfmpeg', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'maskwatch-ffmpeg-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function script(name: string, body: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
    return path;
  }
  const fake = (version: string, major: number) =>
    `echo "ffmpeg version ${version} Copyright (c)"; echo "libavutil 1. 2.3"; echo "libavformat    ${major}. 27.100 / ${major}. 27.100"`;

  it('takes the one of npm when nothing is said', async () => {
    const binary = await findFfmpeg({ env: {} });
    expect(binary.origin).toBe('npm');
    expect(binary.libavformatMajor).toBeGreaterThanOrEqual(58);
    expect(binary.version).not.toBe('');
  });

  it('prefers the option, then FFMPEG_PATH', async () => {
    const one = await script(
      'one',
      `if [ "$2" = -hwaccels ]; then printf 'Hardware acceleration methods:\\nvdpau\\nvaapi\\n\\n'; exit; fi
if [ "$2" = -devices ]; then printf 'Devices:\\n D. = Demuxing supported\\n --\\n  E xv XVideo\\n D  lavfi Libavfilter\\n DE video4linux2,v4l2 Video4Linux2\\n'; exit; fi
${fake('7.0.2-static', 61)}`,
    );
    const two = await script('two', fake('5.1.9-0+deb12u1', 59));
    const env = { FFMPEG_PATH: two };
    expect(await findFfmpeg({ path: one, env })).toEqual({
      path: one,
      version: '7.0.2-static',
      libavformatMajor: 61,
      isStatic: true,
      hwaccels: ['vdpau', 'vaapi'],
      inputDevices: ['lavfi', 'video4linux2', 'v4l2'],
      origin: 'option',
    });
    expect(await findFfmpeg({ env })).toMatchObject({
      path: two,
      libavformatMajor: 59,
      isStatic: false,
      origin: 'FFMPEG_PATH',
    });
  });

  it('looks a bare name up in PATH', async () => {
    const path = await script('ffmpeg-of-path', fake('6.1', 60));
    const other = join(folder, 'other');
    await mkdir(join(other, 'ffmpeg-of-path'), { recursive: true });
    const PATH = `:${join(folder, 'nowhere')}:${other}:${folder}`;
    expect(await findFfmpeg({ path: 'ffmpeg-of-path', env: { PATH } })).toMatchObject({
      path,
      origin: 'option',
    });
    expect(await findFfmpeg({ env: { PATH, FFMPEG_PATH: 'ffmpeg-of-path' } })).toMatchObject({
      path,
      origin: 'FFMPEG_PATH',
    });
    await expect(findFfmpeg({ path: 'ffmpeg-of-path', env: { PATH: '' } })).rejects.toMatchObject({
      code: 'FFMPEG_NOT_FOUND',
      exitCode: 3,
      message: expect.stringContaining('PATH'),
    });
  });

  it('does not fall back when the one that was asked for is missing', async () => {
    await expect(findFfmpeg({ path: join(folder, 'missing'), env: {} })).rejects.toMatchObject({
      code: 'FFMPEG_NOT_FOUND',
      exitCode: 3,
      hint: expect.stringContaining('ingest.ffmpegPath'),
    });
    await expect(findFfmpeg({ env: { FFMPEG_PATH: join(folder, 'missing') } })).rejects.toMatchObject({
      code: 'FFMPEG_NOT_FOUND',
      hint: expect.stringContaining('FFMPEG_PATH'),
    });
  });

  it.each([
    ['fails', 'exit 7'],
    ['is something else', 'echo "hello"'],
    ['never answers', 'exec sleep 60'],
  ])('says so when the program %s', async (name, body) => {
    const path = await script(`bad ${name}`, body);
    await expect(findFfmpeg({ path, timeoutMs: 500 })).rejects.toMatchObject({
      code: 'FFMPEG_UNUSABLE',
      exitCode: 3,
    });
  });

  it('says so when the file may not be executed', async () => {
    const path = await script('plain', fake('5', 59));
    await chmod(path, 0o644);
    await expect(findFfmpeg({ path })).rejects.toMatchObject({ code: 'FFMPEG_UNUSABLE' });
  });
});
