import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.js';
import { CameraRuntime } from '../../../src/pipeline/camera-runtime.js';

function setUp(analysis: (signal: AbortSignal) => Promise<void>) {
  const clock = new ManualClock();
  const closed: string[] = [];
  const failures: unknown[] = [];
  const runtime = new CameraRuntime({
    clock,
    supervisor: {
      run: untilAborted,
      status: () => ({
        ...{ cameraId: 'gate', state: 'live', reason: 'first_frame' },
        ...{ sinceMs: 0, lastFrameAgeMs: 0, restarts: 0 },
      }),
    },
    pipeline: { run: analysis, tick: () => {}, closeEpisodes: (reason) => closed.push(reason) },
    onFailure: (error) => failures.push(error),
  });
  runtime.start();
  return { clock, closed, failures, runtime };
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

describe('CameraRuntime', () => {
  it('tells what is wrong with the picture along with the state of the stream', () => {
    const conditions = [{ condition: 'black', sinceMs: 5 }] as const;
    const { clock, runtime } = setUp(untilAborted);
    expect(runtime.status).not.toHaveProperty('conditions');
    const watched = new CameraRuntime({
      ...{ clock, onFailure: () => {}, conditions: () => conditions },
      supervisor: { run: untilAborted, status: () => runtime.status },
      pipeline: { run: untilAborted, tick: () => {}, closeEpisodes: () => {} },
    });
    expect(watched.status).toMatchObject({ state: 'live', conditions });
  });

  it('closes what is open once the frame in hand is through', async () => {
    const { clock, closed, failures, runtime } = setUp(untilAborted);
    await runtime.stop();
    await runtime.stop();
    expect(closed).toEqual(['shutdown']);
    expect(failures).toEqual([]);
    clock.advance(1000);
    expect(clock.pendingCount).toBe(0);
  });

  it('does not wait for ever for a frame whose analysis hangs', async () => {
    const { clock, closed, failures, runtime } = setUp(() => new Promise(() => {}));
    const stopping = runtime.stop();
    await expect.poll(() => clock.pendingCount).toBe(2);
    expect(closed).toEqual([]);
    clock.advance(3000);
    await stopping;
    expect(closed).toEqual(['shutdown']);
    expect(failures).toMatchObject([{ code: 'CLOSE_TIMED_OUT' }]);
  });
});
