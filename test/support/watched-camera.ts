import { EventEmitter, on } from 'node:events';
import type { CameraReason, CameraState, CameraStatus } from '../../src/domain/camera.js';
import type { Frame } from '../../src/domain/frame.js';
import { CameraSupervisor, type SupervisorTimeouts } from '../../src/ingest/camera-supervisor.js';
import type { FfmpegBinary } from '../../src/ingest/ffmpeg-binary.js';
import { FfmpegSource, type FfmpegSourceOptions } from '../../src/ingest/ffmpeg-source.js';
import type { RunEnd } from '../../src/ingest/frame-source.js';
import type { LoginRegister } from '../../src/ingest/login-register.js';
import { systemClock } from '../../src/lib/clock.js';

let cameras = 0;

/**
 * A supervised camera whose story can be waited for. Times are short, but not so short that a busy machine
 * makes a healthy stream look dead.
 */
export class WatchedCamera {
  readonly statuses: CameraStatus[] = [];
  readonly ends: RunEnd[] = [];
  readonly pids: number[] = [];
  /** Everything that was logged, as text. */
  readonly logged: string[] = [];
  readonly frameIds: number[] = [];
  readonly drops: string[] = [];
  readonly supervisor: CameraSupervisor;
  readonly #events = new EventEmitter();
  readonly #abort = new AbortController();
  #done: Promise<void> | null = null;

  constructor(
    options: Pick<FfmpegSourceOptions, 'url'> &
      Partial<FfmpegSourceOptions> & {
        binary: FfmpegBinary;
        timeouts?: Partial<SupervisorTimeouts>;
        logins?: LoginRegister;
        account?: string | null;
        onFrame?: (frame: Frame) => void;
      },
  ) {
    const { timeouts, onFrame, logins, account, ...sourceOptions } = options;
    const cameraId = `watched-${++cameras}`;
    const write = (fields: object, message: string) =>
      this.logged.push(`${message} ${JSON.stringify(fields)}`);
    const log = { debug: write, info: write, warn: write };
    const source = new FfmpegSource({
      cameraId,
      analysis: { rateFps: 5, widthPx: 160, heightPx: 90 },
      clock: systemClock,
      killAfterMs: 500,
      log,
      onSpawn: (pid) => {
        this.pids.push(pid);
        this.#events.emit('change');
      },
      ...sourceOptions,
    });
    this.supervisor = new CameraSupervisor({
      cameraId,
      source,
      clock: systemClock,
      ...(logins ? { logins } : {}),
      ...(account === undefined ? {} : { account }),
      timeouts: {
        connectMs: 8000,
        stallMs: 2500,
        backoffMinMs: 100,
        backoffMaxMs: 400,
        stableAfterMs: 5000,
        ...timeouts,
      },
      onFrame: (frame) => {
        this.frameIds.push(frame.frameId);
        onFrame?.(frame);
        frame.release();
        this.#events.emit('change');
      },
      onDropped: (reason) => this.drops.push(reason),
      onStatus: (status) => {
        this.statuses.push(status);
        this.#events.emit('change');
      },
      onRunEnd: (end) => {
        this.ends.push(end);
        this.#events.emit('change');
      },
      log,
    });
  }

  start(): this {
    this.#done = this.supervisor.run(this.#abort.signal);
    return this;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  /** Waits until `isTrue` holds, looking again whenever something has happened. */
  async until(isTrue: () => boolean, what: string, timeoutMs = 30_000): Promise<void> {
    if (isTrue()) return;
    try {
      for await (const _ of on(this.#events, 'change', { signal: AbortSignal.timeout(timeoutMs) }))
        if (isTrue()) return;
    } catch {
      throw new Error(`waited in vain for ${what}; story so far: ${this.story().join(', ')}`);
    }
  }

  /** Waits for a state that begins after the `from`-th change. */
  async reaches(state: CameraState, options: { reason?: CameraReason; from?: number } = {}): Promise<void> {
    await this.until(
      () =>
        this.statuses
          .slice(options.from ?? 0)
          .some((status) => status.state === state && (options.reason ?? status.reason) === status.reason),
      `${state} ${options.reason ?? ''}`,
    );
  }

  async frames(count: number): Promise<void> {
    const until = this.frameIds.length + count;
    await this.until(() => this.frameIds.length >= until, `${count} more frames`);
  }

  story(): string[] {
    return this.statuses.map(({ state, reason }) => `${state}: ${reason}`);
  }

  /** Everything that came out of it, to look for secrets in. */
  everythingSaid(): string {
    return JSON.stringify([this.statuses, this.ends, this.logged, this.supervisor.status()]);
  }
}
