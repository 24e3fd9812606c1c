import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/domain/frame.js';
import type { FrameSink, RunEnd } from '../../../src/ingest/frame-source.js';
import type { StreamPlan } from '../../../src/ingest/stream-plan.js';
import { StreamPlanner } from '../../../src/ingest/stream-plan.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { type WatchedStream, watchStream } from '../../../src/probe/watch-stream.js';

const PROBLEM_461 = 'method SETUP failed: 461 Unsupported transport';
const ended = (reason: RunEnd['reason']): RunEnd => ({
  reason,
  message: `${reason} it was`,
  retryable: true,
});
const FRAME = { release: () => {} } as unknown as Frame;

/** What a camera does in one run; `plays` sends pictures until it is stopped. */
type Behaviour =
  | { plays: number; everyMs?: number }
  | { hangs: true; afterFrames?: number }
  | { ends: RunEnd['reason'] };

/** Watches a made-up camera for ten seconds, with the real planner; time passes as fast as it can. */
async function watch(
  wishes: 'auto' | 'tcp',
  behave: (plan: StreamPlan) => Behaviour,
  more: { explain?: (end: RunEnd) => Promise<RunEnd | null>; watchMs?: number } = {},
): Promise<WatchedStream & { ways: string[] }> {
  const clock = new ManualClock();
  const planner = new StreamPlanner({ transport: wishes, decoding: 'none', hwaccels: [] });
  const ways: string[] = [];
  const run = async (sink: FrameSink, signal: AbortSignal): Promise<RunEnd> => {
    const behaviour = behave(planner.plan);
    let frameCount = 0;
    const send = () => {
      frameCount += 1;
      sink.streamInfo?.({ codec: 'h264', width: 64, height: 36, rateFps: null });
      sink.frame(FRAME);
    };
    const pass = (ms: number) => {
      clock.advance(ms);
      return new Promise<void>((resolve) => setImmediate(resolve));
    };
    let end: RunEnd | null = null;
    if ('ends' in behaviour) end = ended(behaviour.ends);
    else if ('hangs' in behaviour) {
      for (let i = 0; i < (behaviour.afterFrames ?? 0); i++) send();
      while (!signal.aborted) await pass(500);
    } else {
      await pass(behaviour.plays);
      while (!signal.aborted) {
        send();
        if (!signal.aborted) await pass(behaviour.everyMs ?? 200);
      }
    }
    const reason: unknown = signal.reason;
    const givenUp = reason && typeof reason === 'object' && 'retryable' in reason ? (reason as RunEnd) : null;
    const outcome = givenUp ?? end ?? ended('stopped');
    const problems = 'ends' in behaviour && behaviour.ends === 'configuration' ? [PROBLEM_461] : [];
    planner.note({ ...{ frameCount, problems, liveMs: 0 }, end: outcome });
    return end ?? ended('stopped');
  };
  const source = {
    run,
    get plan() {
      return planner.plan;
    },
  };
  const watched = await watchStream(
    {
      source,
      clock,
      timeouts: { connectMs: 8000, stallMs: 5000 },
      watchMs: 10_000,
      ...more,
      onFrame: (frame) => frame.release(),
      onAttempt: ({ transport, timestamps }) => ways.push(`${transport}/${timestamps}`),
    },
    new AbortController().signal,
  );
  return { ...watched, ways };
}

describe('watchStream', () => {
  it('looks for as long as it was asked to, from the first picture on', async () => {
    const watched = await watch('tcp', () => ({ plays: 700 }));
    expect(watched).toMatchObject({ end: null, firstFrameMs: 700, attempts: [], info: { codec: 'h264' } });
    expect(watched.watchedMs).toBeGreaterThanOrEqual(10_000);
    expect(watched.watchedMs).toBeLessThan(10_500);
  });

  it('goes from transport to transport until pictures come, and says which it was', async () => {
    const watched = await watch('auto', ({ transport }) =>
      transport === 'http'
        ? { plays: 300 }
        : transport === 'udp'
          ? { hangs: true }
          : { ends: 'configuration' },
    );
    expect(watched).toMatchObject({ end: null, plan: { transport: 'http' }, firstFrameMs: 300 });
    expect(watched.attempts.map(({ plan, end }) => `${plan.transport} ${end.reason}`)).toEqual([
      'tcp configuration',
      'udp connect_timeout',
    ]);
  });

  it('tries each transport once, then gives up', async () => {
    const watched = await watch('auto', () => ({ hangs: true }));
    expect(watched.ways.map((way) => way.split('/')[0])).toEqual(['tcp', 'udp', 'http']);
    expect(watched).toMatchObject({ end: { reason: 'connect_timeout' }, firstFrameMs: null });
  });

  it('does not try a password a second time', async () => {
    let runs = 0;
    const watched = await watch('tcp', () => {
      runs += 1;
      return { ends: 'unauthorized' };
    });
    expect(watched.end).toMatchObject({ reason: 'unauthorized' });
    expect(runs).toBe(1);
  });

  it('counts by arrival where the stream’s time stands still', async () => {
    const watched = await watch('tcp', ({ timestamps }) =>
      timestamps === 'arrival' ? { plays: 100 } : { hangs: true, afterFrames: 1 },
    );
    expect(watched).toMatchObject({ end: null, plan: { timestamps: 'arrival' } });
    expect(watched.attempts).toMatchObject([{ end: { reason: 'no_frames' } }]);
  });

  it('does not call a stream alive whose only picture came at the beginning', async () => {
    const watched = await watch('tcp', () => ({ hangs: true, afterFrames: 9 }), { watchMs: 2000 });
    expect(watched).toMatchObject({ end: { reason: 'no_frames' }, firstFrameMs: 0 });
    const slow = await watch('tcp', () => ({ plays: 700, everyMs: 4000 }), { watchMs: 2000 });
    expect(slow).toMatchObject({ end: null, watchedMs: 4000 });
  });

  it('tells that pictures stopped, and does not begin again', async () => {
    const watched = await watch('tcp', () => ({ hangs: true, afterFrames: 9 }));
    expect(watched).toMatchObject({ end: { reason: 'no_frames' }, firstFrameMs: 0, attempts: [] });
  });

  it('believes who knows more of a camera without pictures', async () => {
    const dead = ended('unreachable');
    const watched = await watch('auto', () => ({ hangs: true }), { explain: async () => dead });
    expect(watched).toMatchObject({ end: dead, attempts: [] });
  });

  it('throws the reason of who stops it', async () => {
    const abort = new AbortController();
    const why = new Error('enough');
    const source = {
      plan: { transport: 'tcp', decoding: 'none', timestamps: 'stream' } as const,
      run: async (): Promise<RunEnd> => {
        abort.abort(why);
        return ended('stopped');
      },
    };
    const options = { clock: new ManualClock(), timeouts: { connectMs: 1, stallMs: 1 }, watchMs: 1 };
    await expect(watchStream({ ...options, source, onFrame: () => {} }, abort.signal)).rejects.toBe(why);
  });
});
