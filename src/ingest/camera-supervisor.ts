import type { CameraReason, CameraStatus } from '../domain/camera.js';
import type { Frame } from '../domain/frame.js';
import type { Clock } from '../lib/clock.js';
import { AppError, messageOf } from '../lib/errors.js';
import { fullJitterMs, slowRetryMs } from './backoff.js';
import {
  type CameraSituation,
  INITIAL_SITUATION,
  type IngestEvent,
  nextSituation,
} from './camera-state-machine.js';
import {
  type FrameDropReason,
  type FrameSource,
  type RunEnd,
  STOPPED,
  type StreamInfo,
} from './frame-source.js';
import type { IngestLog } from './ingest-log.js';
import { LoginRegister, type LoginTurn, REFUSED_BEFORE } from './login-register.js';
import type { StartGate } from './start-gate.js';
import { runWatched } from './watched-run.js';

/** All in ms. */
export interface SupervisorTimeouts {
  /** From the start of a run to its first frame. */
  readonly connectMs: number;
  /** From one frame to the next; must exceed the time between two analysed frames. */
  readonly stallMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A run that delivered frames for this long was stable: the back-off begins small again. */
  readonly stableAfterMs: number;
  /** Highest ceiling of the wait after user or password were refused, where no register is shared. Default 1 800 000. */
  readonly deniedMaxMs?: number;
}

const FREE_RETRIES = 2;

export interface CameraSupervisorOptions {
  readonly cameraId: string;
  readonly source: FrameSource;
  readonly clock: Clock;
  readonly timeouts: SupervisorTimeouts;
  /** Shared by all cameras. Default: none, starts at once. */
  readonly gate?: StartGate;
  /** Shared by all cameras. Default: this camera's own. */
  readonly logins?: LoginRegister;
  /** What it logs in with, see login-register.ts. Default `null`: nothing. */
  readonly account?: string | null;
  /** From [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** The receiver owns one hold of the frame. */
  readonly onFrame: (frame: Frame) => void;
  readonly onDropped: (reason: FrameDropReason) => void;
  /** Called for every change of state or reason, not for every frame. */
  readonly onStatus: (status: CameraStatus) => void;
  /** How each run ended, with what the watchdog saw where the watchdog ended it. */
  readonly onRunEnd?: (end: RunEnd) => void;
  /** See {@link FrameSink.damaged}. */
  readonly onDamaged?: (share: number) => void;
  readonly log?: IngestLog;
}

/**
 * Keeps one camera running: starts its source, watches the frames that are really decoded (neither ffmpeg's
 * exit code nor its time-outs can be trusted), ends a run that hangs, and starts the next one after a growing,
 * random wait, only when nothing is left of the last.
 */
export class CameraSupervisor {
  readonly #options: CameraSupervisorOptions;
  readonly #random: () => number;
  readonly #logins: LoginRegister;
  #situation: CameraSituation = INITIAL_SITUATION;
  #sinceMs: number;
  #lastFrameMs: number | null = null;
  #starts = 0;
  /** Failed runs in a row, not counting what came before a stable one. */
  #failures = 0;
  /** Runs that took a place and brought no picture, since a stable one. */
  #emptyRuns = 0;
  /** Whether it was stable once. */
  #wasStable = false;
  #loggedReason: CameraReason | null = null;
  #streamInfo: StreamInfo | null = null;
  #isRunning = false;

  constructor(options: CameraSupervisorOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    const { clock, timeouts } = options;
    const limits = { minMs: timeouts.backoffMinMs, maxMs: timeouts.backoffMaxMs };
    this.#logins =
      options.logins ??
      new LoginRegister({
        ...{ clock, limits, random: this.#random },
        deniedMaxMs: timeouts.deniedMaxMs ?? 1_800_000,
      });
    this.#sinceMs = options.clock.wallMs();
  }

  /** As it is now; `lastFrameAgeMs` grows between calls. */
  status(): CameraStatus {
    const { state, reason, message } = this.#situation;
    const { source } = this.#options;
    return {
      cameraId: this.#options.cameraId,
      state,
      reason,
      ...(message === undefined ? {} : { message }),
      sinceMs: this.#sinceMs,
      lastFrameAgeMs:
        this.#lastFrameMs === null ? null : this.#options.clock.monotonicMs() - this.#lastFrameMs,
      restarts: Math.max(0, this.#starts - 1),
      ...(this.#streamInfo === null ? {} : { stream: this.#streamInfo }),
      ...(this.#lastFrameMs === null || !source.timing ? {} : { timing: source.timing() }),
    };
  }

  /**
   * Runs until `signal` aborts or a file that is not looped has ended. Resolves when nothing is left of the
   * last run; the state is then `disabled`.
   *
   * @throws AppError `INGEST_ALREADY_RUNNING`. The callbacks must not throw.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#isRunning)
      throw new AppError('INGEST_ALREADY_RUNNING', `${this.#options.cameraId} is supervised already`);
    this.#isRunning = true;
    try {
      this.#apply({ kind: 'start' });
      while (!signal.aborted) {
        const { end, liveMs } = await this.#attempt(signal);
        if (signal.aborted) break;
        this.#options.onRunEnd?.(end);
        if (end.reason === 'end_of_file') {
          this.#apply({ kind: 'stop', reason: end.reason, message: end.message });
          return;
        }
        this.#apply({ kind: 'run_ended', reason: end.reason, message: end.message });
        await this.#waitBeforeRetry(end, liveMs, signal);
        if (signal.aborted) break;
        this.#apply({ kind: 'retry' });
      }
      this.#apply({ kind: 'stop', reason: 'stopped' });
    } finally {
      this.#isRunning = false;
    }
  }

  /** One attempt; whatever goes wrong in it is a reason to try again. */
  async #attempt(signal: AbortSignal): Promise<{ end: RunEnd; liveMs: number }> {
    try {
      return await this.#tryOnce(signal);
    } catch (error) {
      if (signal.aborted) return { end: STOPPED, liveMs: 0 };
      this.#options.log?.warn({ err: error }, 'a run of the camera failed: a fault of ours');
      const message = `A fault of ours: ${messageOf(error)}`;
      return { end: { reason: 'process_exited', message, retryable: true }, liveMs: 0 };
    }
  }

  /** Asks whether anybody is there, waits until it may log in and for a place among those that start, and runs. */
  async #tryOnce(signal: AbortSignal): Promise<{ end: RunEnd; liveMs: number }> {
    const { source, gate } = this.#options;
    const problem = await source.check?.(signal);
    if (problem) return { end: problem, liveMs: 0 };
    let turn: LoginTurn | null = null;
    let leave: (() => void) | undefined;
    try {
      // No turn is held while it waits for a place: a dead channel of a recorder would keep the others from trying.
      do {
        leave?.();
        if (!(await this.#logins.room(this.#login, signal))) return { end: REFUSED_BEFORE, liveMs: 0 };
        leave = await gate?.enter({ failures: this.#failuresThatCount() }, signal);
        turn = this.#logins.tryEnter(this.#login);
      } while (!turn);
      const current = turn;
      this.#emptyRuns += 1;
      const result = await this.#runOnce(signal, () => {
        this.#emptyRuns -= 1;
        leave?.();
        current.accepted();
      });
      if (result.end.reason === 'unauthorized') turn.refused();
      return result;
    } finally {
      leave?.();
      turn?.leave();
    }
  }

  get #login() {
    const { cameraId, account = null } = this.#options;
    return { cameraId, account };
  }

  /** A camera that was well and dropped out has a few attempts that count for nothing. */
  #failuresThatCount(): number {
    return Math.max(0, this.#emptyRuns - (this.#wasStable ? FREE_RETRIES : 0));
  }

  /**
   * @param onStarted called with the first frame of this run.
   * @returns why it ended, and for how long it had delivered frames, ms.
   */
  async #runOnce(signal: AbortSignal, onStarted: () => void): Promise<{ end: RunEnd; liveMs: number }> {
    const { clock, source, timeouts } = this.#options;
    this.#starts += 1;
    return runWatched(
      {
        ...{ clock, source, timeouts },
        sink: {
          frame: this.#options.onFrame,
          dropped: this.#options.onDropped,
          damaged: (share) => this.#options.onDamaged?.(share),
          streamInfo: (info) => {
            this.#streamInfo = info;
          },
        },
        onPicture: (isFirst) => {
          if (isFirst) onStarted();
          this.#noteFrame();
        },
        onExpired: ({ reason }) =>
          this.#apply({ kind: reason === 'no_frames' ? 'stall' : 'connect_timeout' }),
      },
      signal,
    );
  }

  async #waitBeforeRetry(end: RunEnd, liveMs: number, signal: AbortSignal): Promise<void> {
    const { clock, timeouts } = this.#options;
    const limits = { minMs: timeouts.backoffMinMs, maxMs: timeouts.backoffMaxMs };
    if (liveMs >= timeouts.stableAfterMs) {
      this.#failures = 0;
      this.#emptyRuns = 0;
      this.#wasStable = true;
    }
    const delayMs = this.#delayMs(end, limits);
    this.#failures += 1;
    this.#options.log?.debug({ delayMs, failures: this.#failures }, 'camera waits before it connects again');
    try {
      await clock.sleep(delayMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #delayMs(end: RunEnd, limits: { minMs: number; maxMs: number }): number {
    const random = this.#random();
    if (end.reason === 'unauthorized') return this.#logins.waitMs(this.#login) + random * limits.minMs;
    if (end.reason === 'not_found' || !end.retryable) return slowRetryMs(limits, random);
    return fullJitterMs(limits, this.#failures, random);
  }

  #noteFrame(): void {
    this.#lastFrameMs = this.#options.clock.monotonicMs();
    if (this.#situation.state === 'connecting') this.#apply({ kind: 'frame' });
  }

  #apply(event: IngestEvent): void {
    const before = this.#situation;
    this.#situation = nextSituation(before, event);
    if (this.#situation === before) return;
    if (this.#situation.state !== before.state) this.#sinceMs = this.#options.clock.wallMs();
    this.#logChange(before);
    this.#options.onStatus(this.status());
  }

  /** One line per change; of the same trouble over and over only the 1st, 2nd, 4th, 8th … time. */
  #logChange(before: CameraSituation): void {
    const { state, reason, message } = this.#situation;
    const attempts = this.#failures + 1;
    const isRepeat = this.#failures > 0 && (state === 'connecting' || reason === this.#loggedReason);
    const isQuiet = isRepeat && (state === 'connecting' || !Number.isInteger(Math.log2(attempts)));
    const level = state === 'stalled' || state === 'backing_off' ? 'warn' : 'info';
    if (state !== 'connecting') this.#loggedReason = reason;
    this.#options.log?.[isQuiet ? 'debug' : level](
      {
        state,
        reason,
        before: before.state,
        ...(message === undefined ? {} : { detail: message }),
        ...(state === 'backing_off' ? { attempts } : {}),
      },
      `camera is ${state.replace('_', ' ')}`,
    );
  }
}
