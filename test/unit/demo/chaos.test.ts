import { describe, expect, it } from 'vitest';
import { planChaos, runChaos } from '../../../src/demo/chaos.js';
import { assertFault, CAMERA_FAULT_KINDS, type CameraFault } from '../../../src/demo/rtsp/faults.js';
import { ManualClock } from '../../../src/lib/clock.js';

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

async function run(cameraIds: string[], seed: number, seconds: number) {
  const clock = new ManualClock();
  const ill = new Map<string, CameraFault>();
  const lines: string[] = [];
  let mostIll = 0;
  const abort = new AbortController();
  const done = runChaos(
    {
      server: {
        setFault: (path, fault) => {
          expect(ill.has(path)).toBe(false);
          expect(fault).not.toMatchObject({ kind: 'other_clip', file: `${path.slice(1)}.mp4` });
          ill.set(path, fault);
          mostIll = Math.max(mostIll, ill.size);
        },
        clearFault: (path) => void ill.delete(path),
      },
      cameras: cameraIds.map((id) => ({ id, file: `${id}.mp4` })),
      clips: ['a.mp4', 'b.mp4'].map((file) => ({ file, words: `shows ${file}` })),
      ...{ seed, clock, everyMs: 2000 },
      say: (line) => lines.push(line),
    },
    abort.signal,
  );
  for (let i = 0; i < seconds * 4; i++) {
    clock.advance(250);
    await settle();
  }
  const illBefore = ill.size;
  abort.abort();
  await done;
  return { lines, mostIll, illBefore, illAfter: ill.size };
}

describe('chaos', () => {
  it('never makes more than half of the cameras ill, says what it does, and leaves all of them well', async () => {
    const { lines, mostIll, illBefore, illAfter } = await run(['a', 'b', 'c', 'd'], 1, 600);
    expect(mostIll).toBe(2);
    expect(illBefore).toBeGreaterThan(0);
    expect(illAfter).toBe(0);
    const began = lines.filter((line) => / for \d+ s$/.test(line));
    expect(began.length).toBeGreaterThan(30);
    const kinds = new Set(began.map((line) => line.replace(/^\w+ /, '').replace(/[-\d]+/g, 'n')));
    expect(kinds.size).toBeGreaterThanOrEqual(10);
    for (const id of ['a', 'b', 'c', 'd'])
      expect(lines.some((line) => line === `${id} is well again`)).toBe(true);
  });

  it('does the same with the same seed, and something else with another', async () => {
    const [first, again, other] = [
      await run(['a', 'b'], 7, 120),
      await run(['a', 'b'], 7, 120),
      await run(['a', 'b'], 8, 120),
    ];
    expect(again.lines).toEqual(first.lines);
    expect(other.lines).not.toEqual(first.lines);
  });

  it('leaves a single camera alone', async () => {
    expect((await run(['a'], 1, 60)).lines).toEqual([]);
  });

  it('plans every kind of fault that comes by itself, in the order of time', () => {
    const cameras = ['a', 'b', 'c', 'd'].map((id) => ({ id, file: `${id}.mp4` }));
    const plan = planChaos({ cameras, clips: [{ file: 'x.mp4', words: 'x' }], everyMs: 2000, seed: 3 });
    const events = Array.from({ length: 600 }, () => plan.next().value!);
    const times = events.map(({ atMs }) => atMs);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    expect(new Set(events.flatMap(({ fault }) => (fault ? [fault.kind] : [])))).toEqual(
      new Set(CAMERA_FAULT_KINDS),
    );
    for (const { fault } of events) if (fault) assertFault(fault);
  });
});
