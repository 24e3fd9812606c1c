import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runFfmpegProcess } from '../../src/ingest/ffmpeg-process.js';
import { FfmpegSource } from '../../src/ingest/ffmpeg-source.js';
import { ourselves } from '../../src/ingest/owner-mark.js';
import { diesWithParent } from '../../src/ingest/parent-death-signal.js';
import { procTable } from '../../src/ingest/process-table.js';
import { systemClock } from '../../src/lib/clock.js';
import { makeClip, npmFfmpeg } from '../support/ingest-clips.js';

let folder: string;
let clip: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-process-'));
  clip = await makeClip(folder, { name: 'clip.mp4', width: 160, height: 96, seconds: 2 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** More than any system takes as one argument or variable. */
const TOO_MUCH = 'x'.repeat(4 * 1024 * 1024);

async function runWith(binaryPath: string, input: string, signal = new AbortController().signal) {
  const binary = { ...(await npmFfmpeg()), path: binaryPath };
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  return runFfmpegProcess(
    {
      ...{ binary, output, onLine: () => {}, killAfterMs: 500, clock: systemClock },
      arguments: { inputOptions: ['-nostdin'], input, outputOptions: ['-frames:v', '1'] },
    },
    signal,
  );
}

describe.skipIf(process.platform === 'win32')('a process that cannot be started', () => {
  const VARIABLE = 'MASKWATCH_TEST_TOO_MUCH';
  afterEach(() => {
    delete process.env[VARIABLE];
  });

  it('is an end of the run, also where Node throws the reason', async () => {
    const { path } = await npmFfmpeg();
    expect(await runWith(path, `file:${TOO_MUCH}`)).toEqual({ kind: 'spawn_failed', message: 'spawn E2BIG' });
  });

  it.skipIf(process.platform !== 'linux')('tells of file handles that are used up (Linux only)', async () => {
    const { path } = await npmFfmpeg();
    await diesWithParent(path);
    const limit = (soft: string) =>
      promisify(execFile)('prlimit', [`--pid=${process.pid}`, `--nofile=${soft}:`]);
    const before = /(\d+) +\d+ +files/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? '1024';
    const held: number[] = [];
    await limit('200');
    try {
      for (;;) held.push(openSync('/dev/null', 'r'));
    } catch {
      expect(await runWith(path, `file:${clip}`)).toEqual({
        kind: 'spawn_failed',
        message: expect.stringMatching(/^spawn .*EMFILE$/),
      });
    } finally {
      for (const handle of held) closeSync(handle);
      await limit(before);
    }
  });

  it('leaves nothing decided of a program that could not be tried', async () => {
    const { path } = await npmFfmpeg();
    const copy = join(folder, 'ffmpeg-untried');
    await copyFile(path, copy);
    process.env[VARIABLE] = TOO_MUCH;
    expect(await runWith(copy, `file:${clip}`)).toEqual({ kind: 'spawn_failed', message: 'spawn E2BIG' });
    expect(await diesWithParent(copy)).toBe(false);
    delete process.env[VARIABLE];
    expect(await runWith(copy, `file:${clip}`)).toMatchObject({ kind: 'exited', exitCode: 0 });
    expect(await diesWithParent(copy)).toBe(await diesWithParent(path));
  });
});

/** Processes that we started and that are still there. */
async function living(): Promise<number[]> {
  const { id } = await ourselves();
  return (await procTable.all())
    .filter(({ isZombie, environment }) => !isZombie && environment.includes(id))
    .map(({ pid }) => pid);
}

describe.skipIf(process.platform !== 'linux')('a script that starts ffmpeg (needs /proc)', () => {
  it.each([
    ['as a child', '"$FFMPEG" "$@"'],
    ['in a session of its own', 'setsid -w "$FFMPEG" "$@"'],
    ['in the background, and is gone', '"$FFMPEG" "$@" &'],
    ['as a child without its mark', 'env -u MASKWATCH_RUN "$FFMPEG" "$@"; true'],
    ['as a child, deaf to SIGTERM', `trap '' TERM; "$FFMPEG" "$@"; true`],
  ])('%s: the run ends when it is told to, and nothing is left', async (_how, body) => {
    const { path } = await npmFfmpeg();
    const script = join(folder, 'script.sh');
    await writeFile(script, `#!/bin/sh\nFFMPEG='${path}'\n${body}\n`, { mode: 0o755 });
    const abort = new AbortController();
    const source = new FfmpegSource({
      ...{ cameraId: 'one', url: `file:${clip}`, loop: true, clock: systemClock, killAfterMs: 200 },
      binary: { ...(await npmFfmpeg()), path: script },
      analysis: { rateFps: 25, widthPx: 160, heightPx: 90 },
    });
    const end = await source.run(
      {
        frame: (frame) => {
          frame.release();
          if (!abort.signal.aborted) abort.abort();
        },
        dropped: () => {},
      },
      abort.signal,
    );
    expect(end).toMatchObject({ reason: 'stopped' });
    // Its pipes are closed before it is gone from the table.
    await expect.poll(living, { timeout: 10_000 }).toEqual([]);
  });

  it('as a child that waits for a frozen server: it is ended too', async () => {
    const { path } = await npmFfmpeg();
    const script = join(folder, 'script.sh');
    await writeFile(script, `#!/bin/sh\n'${path}' "$@"\ntrue\n`, { mode: 0o755 });
    const abort = new AbortController();
    // It takes the connection and never says anything: what waits there never writes, so no closed pipe ends it.
    await using server = createServer(() => abort.abort()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const end = await runWith(script, `tcp://127.0.0.1:${port}`, abort.signal);
    expect(end).toMatchObject({ kind: 'exited', signal: 'SIGTERM' });
    await expect.poll(living, { timeout: 10_000 }).toEqual([]);
  });
});
