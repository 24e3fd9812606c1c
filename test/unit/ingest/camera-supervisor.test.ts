import { describe, expect, it } from 'vitest';
import type { CameraStatus } from '../../../src/domain/camera.js';
import type { Frame } from '../../../src/domain/frame.js';
import { CameraSupervisor, type SupervisorTimeouts } from '../../../src/ingest/camera-supervisor.js';
import type { FrameSink, FrameSource, RunEnd } from '../../../src/ingest/frame-source.js';
import { LoginRegister } from '../../../src/ingest/login-register.js';
import { StartGate } from '../../../src/ingest/start-gate.js';
import { ManualClock } from '../../../src/lib/clock.js';

const TIMEOUTS: SupervisorTimeouts = {
  connectMs: 10_000,
  stallMs: 5000,
  backoffMinMs: 500,
  backoffMaxMs: 30_000,
  stableAfterMs: 30_000,
};
const REFUSED: RunEnd = { reason: 'refused', message: 'refused', retryable: true };

/** A source in the test's hands: runs wait until the test ends them; an abort ends them when `obeys`. */
class FakeSource implements FrameSource {
  readonly runs: {
    sink: FrameSink;
    signal: AbortSignal;
    end: (end: RunEnd) => void;
    fail: (error: Error) => void;
  }[] = [];
  livingCount = 0;
  maxLivingCount = 0;
  obeys = true;
  problems: RunEnd[] = [];

  async check(): Promise<RunEnd | null> {
    return this.problems.shift() ?? null;
  }

  run(sink: FrameSink, signal: AbortSignal): Promise<RunEnd> {
    this.livingCount += 1;
    this.maxLivingCount = Math.max(this.maxLivingCount, this.livingCount);
    return new Promise((resolve, reject) => {
      const end = (value: RunEnd) => {
        this.livingCount -= 1;
        resolve(value);
      };
      this.runs.push({ sink, signal, end, fail: reject });
      signal.addEventListener('abort', () => {
        if (this.obeys) end({ reason: 'stopped', message: '', retryable: true });
      });
    });
  }

  get last() {
    return this.runs.at(-1)!;
  }
}

function fakeFrame(): Frame & { holds: number } {
  return {
    cameraId: 'door',
    frameId: 0,
    capturedAtMs: 0,
    monotonicMs: 0,
    sourceWidth: 2,
    sourceHeight: 2,
    pixels: {
      buffer: new SharedArrayBuffer(12),
      byteOffset: 0,
      width: 2,
      height: 2,
      contentWidth: 2,
      contentHeight: 2,
    },
    holds: 1,
    retain() {
      this.holds += 1;
    },
    release() {
      this.holds -= 1;
    },
  };
}

/** Lets everything run that waits for promises only. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

async function setUp(
  options: {
    random?: () => number;
    timeouts?: Partial<SupervisorTimeouts>;
    /** What the first checks find. */
    problems?: RunEnd[];
    gate?: StartGate;
    logins?: LoginRegister;
    account?: string;
    clock?: ManualClock;
  } = {},
) {
  const { clock = new ManualClock(), gate, logins, account } = options;
  const source = new FakeSource();
  source.problems = [...(options.problems ?? [])];
  const statuses: CameraStatus[] = [];
  const ends: RunEnd[] = [];
  const drops: string[] = [];
  const frames: Frame[] = [];
  const abort = new AbortController();
  const supervisor = new CameraSupervisor({
    cameraId: 'door',
    source,
    clock,
    random: options.random ?? (() => 0.5),
    ...(gate ? { gate } : {}),
    ...(logins ? { logins } : {}),
    ...(account === undefined ? {} : { account }),
    timeouts: { ...TIMEOUTS, ...options.timeouts },
    onFrame: (frame) => frames.push(frame),
    onDropped: (reason) => drops.push(reason),
    onStatus: (status) => statuses.push(status),
    onRunEnd: (end) => ends.push(end),
  });
  const before = supervisor.status();
  const done = supervisor.run(abort.signal);
  await settle();
  /** Moves time in small steps, letting promises run in between. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 250) {
      clock.advance(Math.min(250, left));
      await settle();
    }
  };
  const path = () => statuses.map(({ state, reason }) => `${state}: ${reason}`);
  return { clock, source, statuses, ends, drops, frames, abort, supervisor, before, done, pass, path };
}

describe('CameraSupervisor', () => {
  it('connects, becomes live with the first frame and forwards every frame', async () => {
    const t = await setUp();
    expect(t.before).toMatchObject({ state: 'disabled', lastFrameAgeMs: null, restarts: 0 });
    t.source.last.sink.frame(fakeFrame());
    t.source.last.sink.frame(fakeFrame());
    expect(t.path()).toEqual(['connecting: started', 'live: first_frame']);
    expect(t.frames).toHaveLength(2);
    await t.pass(1000);
    expect(t.supervisor.status()).toMatchObject({ state: 'live', lastFrameAgeMs: 1000, restarts: 0 });
    t.abort.abort();
    await t.done;
    expect(t.supervisor.status()).toMatchObject({ state: 'disabled', reason: 'stopped' });
    expect(t.clock.pendingCount).toBeLessThanOrEqual(1);
  });

  it('gives a connection that shows nothing up in time', async () => {
    const t = await setUp();
    await t.pass(9500);
    expect(t.path()).toEqual(['connecting: started']);
    await t.pass(500);
    expect(t.path()).toEqual(['connecting: started', 'backing_off: connect_timeout']);
    expect(t.ends.map(({ reason }) => reason)).toEqual(['connect_timeout']);
    expect(t.source.livingCount).toBe(0);
    t.abort.abort();
    await t.done;
  });

  it('notices that frames stop, also when the process lives on', async () => {
    const t = await setUp();
    t.source.obeys = false;
    for (let second = 0; second < 20; second += 1) {
      t.source.last.sink.frame(fakeFrame());
      await t.pass(1000);
    }
    await t.pass(3500);
    expect(t.supervisor.status().state).toBe('live');
    await t.pass(1000);
    expect(t.supervisor.status()).toMatchObject({ state: 'stalled', reason: 'no_frames' });
    expect(t.source.last.signal.aborted).toBe(true);
    // A late frame neither comes through nor makes it live.
    const late = fakeFrame();
    t.source.last.sink.frame(late);
    expect(late.holds).toBe(0);
    expect(t.drops).toEqual(['closing']);
    expect(t.supervisor.status().state).toBe('stalled');
    // Nothing new is started while anything is left of the old run.
    await t.pass(60_000);
    expect(t.source.runs).toHaveLength(1);
    t.source.last.end({ reason: 'stopped', message: '', retryable: true });
    await settle();
    expect(t.path().slice(2)).toEqual(['stalled: no_frames', 'backing_off: no_frames']);
    await t.pass(250);
    expect(t.source.runs).toHaveLength(2);
    expect(t.source.maxLivingCount).toBe(1);
    expect(t.ends.map(({ reason }) => reason)).toEqual(['no_frames']);
    expect(t.supervisor.status().restarts).toBe(1);
    t.abort.abort();
    t.source.last.end(REFUSED);
    await t.done;
  });

  it('does not take dropped frames for a dead camera', async () => {
    const t = await setUp();
    for (let second = 0; second < 20; second += 1) {
      t.source.last.sink.dropped('no_buffer');
      await t.pass(1000);
    }
    expect(t.supervisor.status().state).toBe('live');
    expect(t.drops).toHaveLength(20);
    t.abort.abort();
    await t.done;
  });

  it('does not blame the camera when this process itself was held up', async () => {
    const late = new LateClock();
    const source = new FakeSource();
    const states: string[] = [];
    const abort = new AbortController();
    const done = new CameraSupervisor({
      cameraId: 'door',
      source,
      clock: late,
      timeouts: TIMEOUTS,
      onFrame: (frame) => frame.release(),
      onDropped: () => {},
      onStatus: ({ state }) => states.push(state),
    }).run(abort.signal);
    await settle();
    source.last.sink.frame(fakeFrame());
    // 8 s in which no timer could run: the first check afterwards only looks.
    late.nowMs += 8000;
    late.tick();
    expect(states).toEqual(['connecting', 'live']);
    source.last.sink.frame(fakeFrame());
    late.nowMs += 500;
    late.tick();
    expect(states).toEqual(['connecting', 'live']);
    // But a camera that is silent although we looked again is stalled.
    late.nowMs += 8000;
    late.tick();
    late.nowMs += 500;
    late.tick();
    expect(states).toEqual(['connecting', 'live', 'stalled']);
    abort.abort();
    await done;
  });

  it('waits longer after every failure, up to the cap, and short again after a stable run', async () => {
    const t = await setUp({ random: () => 1 - Number.EPSILON });
    const waits: number[] = [];
    for (let failure = 0; failure < 9; failure += 1) {
      const count = t.source.runs.length;
      t.source.last.end(REFUSED);
      await settle();
      const fromMs = t.clock.monotonicMs();
      while (t.source.runs.length === count) await t.pass(250);
      waits.push(t.clock.monotonicMs() - fromMs);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);

    const waitAfterLiving = async (seconds: number) => {
      for (let second = 0; second <= seconds; second += 1) {
        t.source.last.sink.frame(fakeFrame());
        if (second < seconds) await t.pass(1000);
      }
      const count = t.source.runs.length;
      t.source.last.end({ reason: 'process_exited', message: '', retryable: true });
      await settle();
      const fromMs = t.clock.monotonicMs();
      while (t.source.runs.length === count) await t.pass(250);
      return t.clock.monotonicMs() - fromMs;
    };
    expect(await waitAfterLiving(29)).toBe(30_000);
    expect(await waitAfterLiving(30)).toBe(500);
    expect(await waitAfterLiving(1)).toBe(1000);
    t.abort.abort();
    await t.done;
  });

  it('spreads the waits over the whole range', async () => {
    const draws = [0, 0.25];
    const t = await setUp({ random: () => draws.shift() ?? 0.5 });
    t.source.last.end(REFUSED);
    await settle();
    t.clock.advance(0);
    await settle();
    expect(t.source.runs).toHaveLength(2);
    t.source.last.end(REFUSED);
    await settle();
    await t.pass(249);
    expect(t.source.runs).toHaveLength(2);
    await t.pass(1);
    expect(t.source.runs).toHaveLength(3);
    t.abort.abort();
    await t.done;
  });

  it('tries a wrong password slowly from the first time on, and ever more slowly', async () => {
    const t = await setUp({ random: () => 0, timeouts: { deniedMaxMs: 200_000 } });
    const denied: RunEnd = { reason: 'unauthorized', message: 'wrong password', retryable: false };
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      const count = t.source.runs.length;
      t.source.last.end(denied);
      await settle();
      expect(t.supervisor.status()).toMatchObject({ state: 'backing_off', reason: 'unauthorized' });
      const fromMs = t.clock.monotonicMs();
      while (t.source.runs.length === count) await t.pass(250);
      waits.push(t.clock.monotonicMs() - fromMs);
    }
    expect(waits).toEqual([60_000, 100_000, 100_000, 100_000]);
    expect(t.supervisor.status()).toMatchObject({ state: 'connecting', reason: 'unauthorized' });
    t.abort.abort();
    await t.done;
  });

  it('asks for a path that is not there slowly, but no more slowly than that', async () => {
    const t = await setUp({ random: () => 0 });
    for (let i = 0; i < 3; i++) {
      const count = t.source.runs.length;
      t.source.last.end({ reason: 'not_found', message: 'no such stream', retryable: true });
      await settle();
      const fromMs = t.clock.monotonicMs();
      while (t.source.runs.length === count) await t.pass(250);
      expect(t.clock.monotonicMs() - fromMs).toBe(15_000);
    }
    t.abort.abort();
    await t.done;
  });

  it('starts no run while nobody is there, and says why', async () => {
    const t = await setUp({ problems: [REFUSED, REFUSED] });
    expect(t.source.runs).toHaveLength(0);
    expect(t.path()).toEqual(['connecting: started', 'backing_off: refused']);
    expect(t.supervisor.status()).toMatchObject({ message: 'refused', restarts: 0 });
    await t.pass(2000);
    expect(t.source.runs).toHaveLength(1);
    expect(t.ends.map(({ reason }) => reason)).toEqual(['refused', 'refused']);
    t.source.last.sink.frame(fakeFrame());
    expect(t.path().at(-1)).toBe('live: first_frame');
    t.abort.abort();
    await t.done;
  });

  it('waits for its place among those that start, and gives it up with its first picture', async () => {
    const gate = new StartGate(1);
    const first = await setUp({ gate });
    const second = await setUp({ gate });
    expect([first.source.runs.length, second.source.runs.length]).toEqual([1, 0]);
    // The time in which a first picture must come does not run while it waits.
    await second.pass(60_000);
    expect(second.path()).toEqual(['connecting: started']);
    first.source.last.sink.frame(fakeFrame());
    await settle();
    expect(second.source.runs).toHaveLength(1);
    first.source.last.end(REFUSED);
    second.source.last.end(REFUSED);
    await settle();
    expect(gate.stats()).toEqual({ capacity: 1, starting: 0, waiting: 0 });

    const third = await setUp({ gate });
    const fourth = await setUp({ gate });
    fourth.abort.abort();
    await fourth.done;
    expect(fourth.path().at(-1)).toBe('disabled: stopped');
    expect(gate.stats()).toMatchObject({ starting: 1, waiting: 0 });
    for (const t of [first, second, third]) {
      t.abort.abort();
      await t.done;
    }
    expect(gate.stats()).toMatchObject({ starting: 0, waiting: 0 });
  });

  it('comes back past any number of dead cameras when it drops out, having been well', async () => {
    const gate = new StartGate(2);
    const t = await setUp({ gate, random: () => 0.5 });
    const held = await gate.enter({ failures: 7 }, t.abort.signal);
    for (let i = 0; i < 3; i++) void gate.enter({ failures: 7 }, t.abort.signal).catch(() => {});
    for (let second = 0; second <= 30; second += 1) {
      t.source.last.sink.frame(fakeFrame());
      await t.pass(1000);
    }
    for (let drop = 1; drop <= 3; drop += 1) {
      t.source.last.end({ reason: 'process_exited', message: '', retryable: true });
      await t.pass(2500);
      expect(t.source.runs).toHaveLength(1 + drop);
    }
    // From the fourth attempt without a picture on it waits with the others.
    t.source.last.end({ reason: 'process_exited', message: '', retryable: true });
    await t.pass(60_000);
    expect(t.source.runs).toHaveLength(4);
    held();
    await settle();
    expect(t.source.runs).toHaveLength(5);
    t.abort.abort();
    await t.done;
  });

  it('goes first where it could not even be asked, however long, since it took no place from anybody', async () => {
    const gate = new StartGate(2);
    const t = await setUp({ gate, problems: Array.from({ length: 30 }, () => REFUSED) });
    void (await gate.enter({ failures: 2 }, t.abort.signal));
    void gate.enter({ failures: 2 }, t.abort.signal).catch(() => {});
    await t.pass(30 * 30_000);
    expect(t.source.runs).toHaveLength(1);
    t.abort.abort();
    await t.done;
  });

  it('holds no turn of its login while it waits for a place', async () => {
    const clock = new ManualClock();
    const limits = { minMs: 500, maxMs: 30_000 };
    const logins = new LoginRegister({ clock, limits, deniedMaxMs: 60_000 });
    const gate = new StartGate(1);
    const held = await gate.enter({ failures: 0 }, new AbortController().signal);
    const waiting = await Promise.all([1, 2, 3].map(() => setUp({ clock, gate, logins, account: 'nvr' })));
    expect(logins.tryEnter({ cameraId: 'healthy', account: 'nvr' })).not.toBeNull();
    held();
    await settle();
    expect(waiting.map(({ source }) => source.runs.length)).toEqual([1, 0, 0]);
    for (const t of waiting) {
      t.abort.abort();
      await t.done;
    }
    expect(gate.stats()).toMatchObject({ starting: 0, waiting: 0 });
  });

  it('tries no password that another camera was just refused with, and says so', async () => {
    const clock = new ManualClock();
    const limits = { minMs: 500, maxMs: 30_000 };
    const logins = new LoginRegister({ clock, limits, deniedMaxMs: 60_000, random: () => 0 });
    for (const cameraId of ['hall', 'yard']) {
      const other = logins.tryEnter({ cameraId, account: 'nvr' });
      other!.refused();
      other!.leave();
    }
    const t = await setUp({ clock, logins, account: 'nvr', random: () => 0 });
    expect(t.source.runs).toHaveLength(0);
    expect(t.supervisor.status()).toMatchObject({
      state: 'backing_off',
      reason: 'unauthorized',
      restarts: 0,
    });
    expect(t.supervisor.status().message).toContain('the account would be locked');
    await t.pass(30_000);
    expect(t.source.runs).toHaveLength(1);
    t.abort.abort();
    await t.done;
  });

  it('goes on after a fault of ours', async () => {
    const t = await setUp({ random: () => 0 });
    t.source.last.fail(new Error('a slip'));
    await settle();
    await t.pass(250);
    expect(t.path()).toEqual([
      'connecting: started',
      'backing_off: process_exited',
      'connecting: process_exited',
    ]);
    expect(t.statuses[1]?.message).toBe('A fault of ours: a slip');
    t.source.last.sink.frame(fakeFrame());
    expect(t.path().at(-1)).toBe('live: first_frame');
    t.abort.abort();
    await t.done;
  });

  it('is done when a file is over', async () => {
    const t = await setUp();
    t.source.last.sink.frame(fakeFrame());
    t.source.last.end({ reason: 'end_of_file', message: 'The file is over', retryable: true });
    await t.done;
    expect(t.supervisor.status()).toMatchObject({ state: 'disabled', reason: 'end_of_file' });
    expect(t.source.runs).toHaveLength(1);
  });

  it('stops at once while it waits, and waits for the run while there is one', async () => {
    const waiting = await setUp();
    waiting.source.last.end(REFUSED);
    await settle();
    waiting.abort.abort();
    await waiting.done;
    expect(waiting.path().at(-1)).toBe('disabled: stopped');

    const running = await setUp();
    running.source.obeys = false;
    running.abort.abort();
    let isDone = false;
    const done = running.done.then(() => {
      isDone = true;
    });
    await settle();
    expect(isDone).toBe(false);
    running.source.last.end(REFUSED);
    await done;
    // Stopping is no failure of the camera.
    expect(running.ends).toEqual([]);
    expect(running.path()).toEqual(['connecting: started', 'disabled: stopped']);
  });

  it('reports the wall clock of the last change of state', async () => {
    const t = await setUp();
    const startMs = t.clock.wallMs();
    await t.pass(2000);
    t.clock.jumpWall(3_600_000);
    t.source.last.sink.frame(fakeFrame());
    expect(t.supervisor.status().sinceMs).toBe(startMs + 2000 + 3_600_000);
    // The jump must not look like an hour without frames.
    await t.pass(1000);
    expect(t.supervisor.status().state).toBe('live');
    t.abort.abort();
    await t.done;
  });

  it('refuses to run twice', async () => {
    const t = await setUp();
    await expect(t.supervisor.run(t.abort.signal)).rejects.toMatchObject({ code: 'INGEST_ALREADY_RUNNING' });
    t.abort.abort();
    await t.done;
  });
});

/** A clock whose periodic timers run only when told, however late. */
class LateClock extends ManualClock {
  nowMs = 0;
  #callbacks = new Set<() => void>();

  override monotonicMs(): number {
    return this.nowMs;
  }

  override every(_periodMs: number, callback: () => void): Disposable {
    this.#callbacks.add(callback);
    return { [Symbol.dispose]: () => this.#callbacks.delete(callback) };
  }

  tick(): void {
    for (const callback of this.#callbacks) callback();
  }
}
