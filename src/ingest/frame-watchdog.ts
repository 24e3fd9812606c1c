import type { Clock } from '../lib/clock.js';
import type { RunEnd } from './frame-source.js';

export interface FrameWatchdogOptions {
  readonly clock: Clock;
  /** Until the first frame, and from one to the next, ms. */
  readonly timeouts: { readonly connectMs: number; readonly stallMs: number };
  /** Called at each look after the time is over: the receiver ends the run. */
  readonly onExpired: (end: RunEnd) => void;
}

/** Watches the frames of one run that are really decoded, the only sign of life that can be trusted. */
export class FrameWatchdog implements Disposable {
  readonly #options: FrameWatchdogOptions;
  readonly #startedMs: number;
  readonly #timer: Disposable;
  #firstFrameMs: number | null = null;
  #lastFrameMs: number | null = null;

  constructor(options: FrameWatchdogOptions) {
    this.#options = options;
    const { clock, timeouts } = options;
    this.#startedMs = clock.monotonicMs();
    const periodMs = Math.min(500, Math.max(10, Math.min(timeouts.connectMs, timeouts.stallMs) / 10));
    let lastCheckMs = this.#startedMs;
    let wasLate = false;
    this.#timer = clock.every(periodMs, () => {
      const nowMs = clock.monotonicMs();
      const isLate = nowMs - lastCheckMs > 3 * periodMs && !wasLate;
      lastCheckMs = nowMs;
      wasLate = isLate;
      // This process itself was held up: frames may be waiting in the pipe, so look again after reading them.
      if (!isLate) this.#look(nowMs);
    });
  }

  get hasSeenFrame(): boolean {
    return this.#firstFrameMs !== null;
  }

  /** From the first frame to the last one, ms; 0 before. */
  get liveMs(): number {
    return (this.#lastFrameMs ?? 0) - (this.#firstFrameMs ?? 0);
  }

  noteFrame(): void {
    this.#lastFrameMs = this.#options.clock.monotonicMs();
    this.#firstFrameMs ??= this.#lastFrameMs;
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #look(nowMs: number): void {
    const { timeouts, onExpired } = this.#options;
    if (this.#lastFrameMs === null) {
      if (nowMs - this.#startedMs >= timeouts.connectMs)
        onExpired({ reason: 'connect_timeout', message: 'No picture came in time', retryable: true });
    } else if (nowMs - this.#lastFrameMs >= timeouts.stallMs)
      onExpired({ reason: 'no_frames', message: 'No new picture', retryable: true });
  }
}
