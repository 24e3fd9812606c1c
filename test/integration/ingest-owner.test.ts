import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { isAlive, makeClip } from '../support/ingest-clips.js';

describe('ffmpeg does not outlive its owner', () => {
  let folder: string;
  let clip: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'maskwatch-owner-'));
    clip = await makeClip(folder, { name: 'clip.mp4', width: 320, height: 180, seconds: 2 });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Starts an owner and waits until it tells ffmpeg's process id. */
  async function startOwner(ending: string, url = `file:${clip}`) {
    const script = fileURLToPath(new URL('../support/ingest-owner.ts', import.meta.url));
    const owner = spawn(process.execPath, ['--import', 'tsx', script, url, ending], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const exited = once(owner, 'exit');
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    return { owner, exited, ffmpegPid: Number(line.toString()) };
  }

  async function goneWithin(pid: number, timeoutMs: number): Promise<boolean> {
    const deadline = AbortSignal.timeout(timeoutMs);
    // Of a process that is nobody's child no event tells; so it is looked at.
    while (isAlive(pid) && !deadline.aborted) await setTimeout(20);
    return !isAlive(pid);
  }

  it.each(['exit', 'throw'])('when it ends by %s', async (ending) => {
    const { exited, ffmpegPid } = await startOwner(ending);
    await exited;
    expect(ffmpegPid).toBeGreaterThan(0);
    expect(await goneWithin(ffmpegPid, 5000)).toBe(true);
  });

  it('when it ends while nothing comes, so that a closed pipe would not be noticed', async () => {
    const hole = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(hole, 'listening');
    const { port } = hole.address() as AddressInfo;
    const { exited, ffmpegPid } = await startOwner('exit-before-frames', `rtsp://127.0.0.1:${port}/cam`);
    await exited;
    expect(await goneWithin(ffmpegPid, 3000)).toBe(true);
    hole.close();
  });

  it('when it is killed without warning while pictures flow', async () => {
    const { owner, exited, ffmpegPid } = await startOwner('stay');
    expect(isAlive(ffmpegPid)).toBe(true);
    owner.kill('SIGKILL');
    await exited;
    expect(await goneWithin(ffmpegPid, 5000)).toBe(true);
  });

  it.skipIf(process.platform !== 'linux')(
    'nor does the one that prepares a clip, when a second signal ends its owner (needs /proc)',
    async () => {
      const { path: ffmpegPath } = await findFfmpeg();
      const video = join(folder, 'long.mp4');
      const source = ['-f', 'lavfi', '-i', 'testsrc2=s=1280x720:r=25:d=60', '-c:v', 'mpeg4'];
      await promisify(execFile)(ffmpegPath, ['-nostdin', '-v', 'error', ...source, video]);
      const script = fileURLToPath(new URL('../support/clip-owner.ts', import.meta.url));
      const owner = spawn(
        process.execPath,
        ['--import', 'tsx', script, video, join(folder, 'cache'), ffmpegPath],
        { stdio: ['ignore', 'pipe', 'ignore'] },
      );
      const exited = once(owner, 'exit');
      const [line] = (await once(owner.stdout, 'data')) as [Buffer];
      await exited;
      const ffmpegPid = Number(line.toString());
      expect(ffmpegPid).toBeGreaterThan(0);
      expect(await goneWithin(ffmpegPid, 3000)).toBe(true);
    },
    30_000,
  );
});
