import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readChildren } from '../../src/bench/process-stats.js';
import { livingChildPids } from '../../src/ingest/child-processes.js';
import { FfmpegSource } from '../../src/ingest/ffmpeg-source.js';
import { formatMark, ourselves } from '../../src/ingest/owner-mark.js';
import { diesWithParent, readAuxiliaryValue, tiePrefix } from '../../src/ingest/parent-death-signal.js';
import { procTable, psTable } from '../../src/ingest/process-table.js';
import { systemClock } from '../../src/lib/clock.js';
import { makeClip, npmFfmpeg } from '../support/ingest-clips.js';
import { processState } from '../support/owned-cameras.js';

const isLinux = process.platform === 'linux';
const hasSetpriv = existsSync('/usr/bin/setpriv') || existsSync('/bin/setpriv');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-children-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function runOnce(path: string, binaryPath: string, abortAt: 'frame' | 'never') {
  const binary = { ...(await npmFfmpeg()), path: binaryPath };
  const abort = new AbortController();
  const pids: number[] = [];
  const source = new FfmpegSource({
    ...{ cameraId: 'one', url: `file:${path}`, binary, clock: systemClock, killAfterMs: 500 },
    analysis: { rateFps: 25, widthPx: 160, heightPx: 90 },
    onSpawn: (pid) => pids.push(pid),
  });
  const end = await source.run(
    {
      frame: (frame) => {
        frame.release();
        if (abortAt === 'frame') abort.abort();
      },
      dropped: () => {},
    },
    abort.signal,
  );
  return { end, pids };
}

describe.skipIf(!isLinux)('children of ours (looks into /proc: Linux only)', () => {
  it('leave no zombie, however often they start and whatever they end of', async () => {
    const clip = await makeClip(folder, { name: 'short.mp4', width: 160, height: 96, seconds: 1 });
    const { path } = await npmFfmpeg();
    const pids: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      const runs = await Promise.all([
        runOnce(clip, path, 'frame'),
        runOnce(join(folder, 'nothing.mp4'), path, 'never'),
      ]);
      for (const run of runs) pids.push(...run.pids);
    }
    expect(pids).toHaveLength(24);
    expect(livingChildPids()).toEqual([]);
    // The table of processes itself: a zombie has its line there.
    expect(pids.map(processState)).toEqual(pids.map(() => null));
    const zombies = readChildren(process.pid).filter(({ pid }) => processState(pid) === 'Z');
    expect(zombies).toEqual([]);
  });

  it('carry a mark of their owner', async () => {
    const clip = await makeClip(folder, { name: 'marked.mp4', width: 160, height: 96, seconds: 1 });
    const binary = await npmFfmpeg();
    const marks: string[] = [];
    const abort = new AbortController();
    const source = new FfmpegSource({
      ...{ cameraId: 'one', url: `file:${clip}`, binary, clock: systemClock, loop: true },
      analysis: { rateFps: 5, widthPx: 160, heightPx: 90 },
      onSpawn: (pid) => marks.push(String(pid)),
    });
    const frame = (held: { release(): void }) => {
      held.release();
      if (abort.signal.aborted) return;
      marks.push(readFileSync(`/proc/${marks[0]}/environ`, 'latin1'));
      abort.abort();
    };
    await source.run({ frame, dropped: () => {} }, abort.signal);
    expect(marks[1]?.split('\0')).toContain(formatMark(await ourselves()));
  });

  it('a program that is gone since it was tried is not taken for a stream that ended', async () => {
    const copy = join(folder, 'ffmpeg-to-go');
    await copyFile((await npmFfmpeg()).path, copy);
    await diesWithParent(copy);
    await rm(copy);
    const { end } = await runOnce(join(folder, 'nothing.mp4'), copy, 'never');
    expect(end).toMatchObject({ reason: 'spawn_failed', retryable: true });
    expect(end.message).toContain(hasSetpriv ? 'cannot be executed' : 'ENOENT');
  });
});

describe.skipIf(!isLinux || !hasSetpriv)('the trial of a program (needs setpriv)', () => {
  it('trusts ffmpeg itself, and nothing that may lose or pass on the wish', async () => {
    const { path } = await npmFfmpeg();
    const starting = join(folder, 'starting.sh');
    await writeFile(starting, `#!/bin/sh\n"${path}" "$@"\n`, { mode: 0o755 });
    const becoming = join(folder, 'becoming.sh');
    await writeFile(becoming, `#!/bin/sh\nexec "${path}" "$@"\n`, { mode: 0o755 });
    expect(await diesWithParent(path)).toBe(true);
    expect(await diesWithParent(starting)).toBe(false);
    expect(await diesWithParent(becoming)).toBe(false);
    expect(await diesWithParent('/bin/true')).toBe(false);
    expect(await diesWithParent(join(folder, 'nowhere'))).toBe(false);
  });

  it('starts nothing for an owner that died before the wish was told', async () => {
    // As the kernel shows it then: the parent is another than the one that is named.
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      '"$@"; true',
      'sh',
      ...tiePrefix(),
      'echo',
      'on',
    ]);
    expect(stdout).toBe('');
    const [setpriv, ...prefix] = tiePrefix();
    expect((await promisify(execFile)(setpriv, [...prefix, 'echo', 'on'])).stdout).toBe('on\n');
  });

  it.skipIf(process.getuid?.() !== 0)(
    'does not trust a setuid program (needs root to make one)',
    async () => {
      const setuid = join(folder, 'setuid');
      await copyFile((await npmFfmpeg()).path, setuid);
      await chown(setuid, 65534, 65534);
      await chmod(folder, 0o755);
      await chmod(setuid, 0o4755);
      expect(await diesWithParent(setuid)).toBe(false);
    },
  );
});

describe('readAuxiliaryValue', () => {
  it.each([4, 8] as const)('reads pairs of %i bytes', (bytes) => {
    const words = [6, 4096, 23, 1, 0, 0];
    // In the machine's own order of bytes.
    const auxv = Buffer.from(
      bytes === 4 ? new Uint32Array(words).buffer : new BigUint64Array(words.map(BigInt)).buffer,
    );
    expect(readAuxiliaryValue(auxv, 23, bytes)).toBe(1);
    expect(readAuxiliaryValue(auxv, 6, bytes)).toBe(4096);
    expect(readAuxiliaryValue(auxv, 9, bytes)).toBeNull();
  });
});

describe.skipIf(!isLinux)('the table of processes (needs /proc and ps)', () => {
  it('is the same in /proc and in ps, environment included', async () => {
    const env = { ...process.env, MASKWATCH_TABLE_TEST: 'here' };
    const child = spawn('sleep', ['600'], { env, stdio: 'ignore' });
    const exited = once(child, 'exit');
    await once(child, 'spawn');
    try {
      for (const table of [procTable, psTable]) {
        const entry = (await table.all()).find(({ pid }) => pid === child.pid);
        expect(entry).toMatchObject({ userId: process.getuid?.(), isZombie: false });
        expect(entry?.environment).toContain('MASKWATCH_TABLE_TEST=here');
        const again = await table.one(child.pid ?? 0);
        expect(Math.abs((again?.startedAt ?? 0) - (entry?.startedAt ?? 0))).toBeLessThanOrEqual(1);
      }
    } finally {
      child.kill('SIGKILL');
      await exited;
    }
    expect(await procTable.one(child.pid ?? 0)).toBeNull();
    expect(await psTable.one(child.pid ?? 0)).toBeNull();
  });
});
