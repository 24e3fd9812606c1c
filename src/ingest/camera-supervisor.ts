import { setMaxListeners } from 'node:events';
import type { CameraReason, CameraStatus } from '../domain/camera.js';
import type { Frame } from '../domain/frame.js';
import type { Clock } from '../lib/clock.js';
import { AppError } from '../lib/errors.js';
import { fullJitterMs, slowRetryMs } from './backoff.js';
import {
  type CameraSituation,
  INITIAL_SITUATION,
  type IngestEvent,
  nextSituation,
} from './camera-state-machine.js';
import type { FrameDropReason, FrameSink, FrameSource, RunEnd, StreamInfo } from './frame-source.js';
import type { IngestLog } from './ingest-log.js';

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
}

export interface CameraSupervisorOptions {
  readonly cameraId: string;
  readonly source: FrameSource;
  readonly clock: Clock;
  readonly timeouts: SupervisorTimeouts;
  /** From [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** The receiver owns one hold of the frame. */
  readonly onFrame: (frame: Frame) => void;
  readonly onDropped: (reason: FrameDropReason) => void;
  /** Called for every change of state or reason, not for every frame. */
  readonly onStatus: (status: CameraStatus) => void;
  /** How each run ended, with what the watchdog saw where the watchdog ended it. */
  readonly onRunEnd?: (end: RunEnd) => void;
  readonly onStreamInfo?: (info: StreamInfo) => void;
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
  #situation: CameraSituation = INITIAL_SITUATION;
  #sinceMs: number;
  #lastFrameMs: number | null = null;
  #starts = 0;
  /** Failed runs in a row, not counting what came before a stable one. */
  #failures = 0;
  #loggedReason: CameraReason | null = null;
  #streamInfo: StreamInfo | null = null;
  #isRunning = false;

  constructor(options: CameraSupervisorOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#sinceMs = options.clock.wallMs();
  }

  /** As it is now; `lastFrameAgeMs` grows between calls. */
  status(): CameraStatus {
    const { state, reason, message } = this.#situation;
    return {
      cameraId: this.#options.cameraId,
      state,
      reason,
      ...(message === undefined ? {} : { message }),
      sinceMs: this.#sinceMs,
      lastFrameAgeMs:
        this.#lastFrameMs === null ? null : this.#options.clock.monotonicMs() - this.#lastFrameMs,
      restarts: Math.max(0, this.#starts - 1),
    };
  }

  /** What is known of the stream since the last successful connection; `null` before the first. */
  get streamInfo(): StreamInfo | null {
    return this.#streamInfo;
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
        const { end, liveMs } = await this.#runOnce(signal);
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

  /** @returns why it ended, and for how long it had delivered frames, ms. */
  async #runOnce(signal: AbortSignal): Promise<{ end: RunEnd; liveMs: number }> {
    const { clock, source, timeouts } = this.#options;
    this.#starts += 1;
    const startedMs = clock.monotonicMs();
    let firstFrameMs: number | null = null;
    let lastFrameMs: number | null = null;
    let watchdogEnd: RunEnd | null = null;

    const abort = new AbortController();
    setMaxListeners(0, abort.signal);
    const onAbort = () => abort.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();

    const sink: FrameSink = {
      frame: (frame) => {
        if (abort.signal.aborted) {
          frame.release();
          this.#options.onDropped('closing');
          return;
        }
        this.#noteFrame();
        lastFrameMs = clock.monotonicMs();
        firstFrameMs ??= lastFrameMs;
        this.#options.onFrame(frame);
      },
      dropped: (reason) => {
        // Decoded all the same: a slow analysis must not look like a dead camera.
        if (!abort.signal.aborted) {
          this.#noteFrame();
          lastFrameMs = clock.monotonicMs();
          firstFrameMs ??= lastFrameMs;
        }
        this.#options.onDropped(reason);
      },
      streamInfo: (info) => {
        this.#streamInfo = info;
        this.#options.onStreamInfo?.(info);
      },
    };

    const periodMs = Math.min(500, Math.max(10, Math.min(timeouts.connectMs, timeouts.stallMs) / 10));
    let lastCheckMs = startedMs;
    let wasLate = false;
    const watchdog = clock.every(periodMs, () => {
      const nowMs = clock.monotonicMs();
      const isLate = nowMs - lastCheckMs > 3 * periodMs && !wasLate;
      lastCheckMs = nowMs;
      wasLate = isLate;
      // This process itself was held up: frames may be waiting in the pipe, so look again after reading them.
      if (isLate || abort.signal.aborted) return;
      if (firstFrameMs === null && nowMs - startedMs >= timeouts.connectMs) {
        watchdogEnd = { reason: 'connect_timeout', message: 'No picture came in time', retryable: true };
        this.#apply({ kind: 'connect_timeout' });
        abort.abort();
      } else if (lastFrameMs !== null && nowMs - lastFrameMs >= timeouts.stallMs) {
        watchdogEnd = { reason: 'no_frames', message: 'No new picture', retryable: true };
        this.#apply({ kind: 'stall' });
        abort.abort();
      }
    });

    try {
      const end = await source.run(sink, abort.signal);
      const liveMs =
        firstFrameMs === null || lastFrameMs === null
          ? 0
          : (lastFrameMs as number) - (firstFrameMs as number);
      return { end: watchdogEnd ?? end, liveMs };
    } finally {
      watchdog[Symbol.dispose]();
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #waitBeforeRetry(end: RunEnd, liveMs: number, signal: AbortSignal): Promise<void> {
    const { clock, timeouts } = this.#options;
    const limits = { minMs: timeouts.backoffMinMs, maxMs: timeouts.backoffMaxMs };
    if (liveMs >= timeouts.stableAfterMs) this.#failures = 0;
    const delayMs = end.retryable
      ? fullJitterMs(limits, this.#failures, this.#random())
      : slowRetryMs(limits, this.#random());
    this.#failures += 1;
    this.#options.log?.debug({ delayMs, failures: this.#failures }, 'camera waits before it connects again');
    try {
      await clock.sleep(delayMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
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
