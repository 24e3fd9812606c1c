import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { startChild } from '../../../src/bench/child-entry.js';
import { runBench } from '../../../src/bench/run-bench.js';
import { watchedSleep } from '../../../src/bench/watched-sleep.js';
import { ManualClock } from '../../../src/lib/clock.js';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it('tells how much of a wait is over, and nothing after it', async () => {
  const clock = new ManualClock();
  const told: [number, number][] = [];
  const sleep = watchedSleep(clock, new AbortController().signal, (done, total) => told.push([done, total]));
  const sleeping = sleep(2400);
  clock.advance(2400);
  await sleeping;
  clock.advance(2000);
  expect(told).toEqual([
    [1, 2.4],
    [2, 2.4],
  ]);
});

it('ends a wait with the reason of the signal', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const sleeping = watchedSleep(new ManualClock(), controller.signal, () => {})(1000);
  controller.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
});

it('says that a part of the benchmark did not start', async () => {
  vi.spyOn(process, 'execPath', 'get').mockReturnValue('/nowhere/node');
  const { signal } = new AbortController();
  await expect(startChild('part.js', [], { signal, stop: 'stdin' })).rejects.toMatchObject({
    code: 'BENCH_CHILD_FAILED',
    message: expect.stringContaining('ENOENT'),
  });
});

it('leaves no folder behind when it cannot begin', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'maskwatch-bench-test-'));
  try {
    vi.stubEnv('TMPDIR', folder);
    vi.stubEnv('FFMPEG_PATH', join(folder, 'missing'));
    const benching = runBench({
      ...{ cameras: 1, seconds: 1, rateFps: 1, engine: 'auto' as const },
      signal: new AbortController().signal,
      onPhase: () => {},
    });
    await expect(benching).rejects.toMatchObject({ code: 'FFMPEG_NOT_FOUND' });
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
