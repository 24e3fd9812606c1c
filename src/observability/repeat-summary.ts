import { type Clock, systemClock } from '../lib/clock.js';

export interface RepeatSummaryOptions {
  /** Tells a fault that is new: at once, with the error that came with it. */
  readonly first: (key: string, error?: unknown) => void;
  /** Tells that a fault came `count` more times within the last `periodMs`. */
  readonly again: (key: string, count: number, periodMs: number) => void;
  /** Default one minute. */
  readonly periodMs?: number;
  /** Different faults remembered at once; beyond it the oldest is forgotten (and told first). Default 100. */
  readonly maxKeys?: number;
  readonly clock?: Clock;
}

/**
 * Keeps a repeated fault from flooding the log: the first is told at once, the others as a count once a
 * minute. A fault that stayed away for a whole period is new again.
 */
export class RepeatSummary {
  readonly #options: RepeatSummaryOptions;
  readonly #periodMs: number;
  readonly #maxKeys: number;
  readonly #counts = new Map<string, number>();
  readonly #timer: Disposable;

  constructor(options: RepeatSummaryOptions) {
    this.#options = options;
    this.#periodMs = options.periodMs ?? 60_000;
    this.#maxKeys = options.maxKeys ?? 100;
    this.#timer = (options.clock ?? systemClock).every(this.#periodMs, () => this.#tell());
  }

  /** `key` says which fault it is, e.g. camera and code; never a changing text. */
  add(key: string, error?: unknown): void {
    const count = this.#counts.get(key);
    if (count !== undefined) {
      this.#counts.set(key, count + 1);
      return;
    }
    if (this.#counts.size >= this.#maxKeys) {
      const [oldest, missed] = this.#counts.entries().next().value as [string, number];
      this.#counts.delete(oldest);
      if (missed > 0) this.#options.again(oldest, missed, this.#periodMs);
    }
    this.#counts.set(key, 0);
    this.#options.first(key, error);
  }

  /** Tells what is still uncounted and stops. */
  close(): void {
    this.#timer[Symbol.dispose]();
    this.#tell();
    this.#counts.clear();
  }

  #tell(): void {
    for (const [key, count] of this.#counts) {
      if (count === 0) {
        this.#counts.delete(key);
        continue;
      }
      this.#counts.set(key, 0);
      this.#options.again(key, count, this.#periodMs);
    }
  }
}
