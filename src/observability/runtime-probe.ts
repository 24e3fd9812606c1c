import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { type Clock, systemClock } from '../lib/clock.js';

/** How the main thread did over one window. Lag in seconds, utilisation in [0, 1]. */
export interface RuntimeWindow {
  readonly lagMedianSeconds: number;
  readonly lagP99Seconds: number;
  readonly lagMaxSeconds: number;
  readonly utilisation: number;
}

const RESOLUTION_MS = 20;

/**
 * Measures the main thread in windows of fixed length, so that several scrapers see the same figures and none
 * resets them for another.
 */
export class RuntimeProbe {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: Disposable;
  #utilisation = performance.eventLoopUtilization();
  #window: RuntimeWindow | null = null;

  constructor(options: { clock?: Clock; windowMs?: number } = {}) {
    this.#histogram.enable();
    this.#timer = (options.clock ?? systemClock).every(options.windowMs ?? 10_000, () => this.#roll());
  }

  /** The last full window; the running one before the first is full. */
  get window(): RuntimeWindow {
    return this.#window ?? this.#measure();
  }

  close(): void {
    this.#timer[Symbol.dispose]();
    this.#histogram.disable();
  }

  #measure(): RuntimeWindow {
    // The histogram holds the time between two ticks of a timer, so its period comes off.
    const seconds = (nanoseconds: number) =>
      Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) / 1000 : 0;
    const isEmpty = this.#histogram.count === 0;
    return {
      lagMedianSeconds: isEmpty ? 0 : seconds(this.#histogram.percentile(50)),
      lagP99Seconds: isEmpty ? 0 : seconds(this.#histogram.percentile(99)),
      lagMaxSeconds: isEmpty ? 0 : seconds(this.#histogram.max),
      utilisation: performance.eventLoopUtilization(this.#utilisation).utilization,
    };
  }

  #roll(): void {
    this.#window = this.#measure();
    this.#histogram.reset();
    this.#utilisation = performance.eventLoopUtilization();
  }
}
