/**
 * Two clocks that are never mixed: `monotonicMs` for every duration, order and deadline; `wallMs` for people,
 * storage and schedules (it may jump). Timers live on the clock too, so that a test can move time by hand.
 */
export interface Clock {
  /** Monotonic, ms with a fraction; the origin is arbitrary. */
  monotonicMs(): number;
  /** Wall clock, ms since 1970-01-01 UTC. */
  wallMs(): number;
  /** Resolves after `delayMs`, rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls `callback` every `periodMs` until disposed. Does not keep the process alive. */
  every(periodMs: number, callback: () => void): Disposable;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, delayMs);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs);
    timer.unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};

/** A clock that stands still until it is moved; both times move together. For tests. */
export class ManualClock implements Clock {
  #monotonicMs: number;
  #wallMs: number;
  #timers: { atMs: number; run: () => void }[] = [];

  constructor(options: { monotonicMs?: number; wallMs?: number } = {}) {
    this.#monotonicMs = options.monotonicMs ?? 0;
    this.#wallMs = options.wallMs ?? Date.UTC(2026, 0, 5, 8);
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        reject(signal?.reason);
      };
      const timer = {
        atMs: this.#monotonicMs + delayMs,
        run: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#timers.push(timer);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  every(periodMs: number, callback: () => void): Disposable {
    let stopped = false;
    const schedule = () => {
      this.#timers.push({
        atMs: this.#monotonicMs + periodMs,
        run: () => {
          if (stopped) return;
          callback();
          schedule();
        },
      });
    };
    schedule();
    return {
      [Symbol.dispose]: () => {
        stopped = true;
      },
    };
  }

  /** Waiting sleeps and periods. */
  get pendingCount(): number {
    return this.#timers.length;
  }

  /** Moves both clocks forward, running what falls due in order. */
  advance(byMs: number): void {
    const endMs = this.#monotonicMs + byMs;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#wallMs += due.atMs - this.#monotonicMs;
      this.#monotonicMs = due.atMs;
      due.run();
    }
    this.#wallMs += endMs - this.#monotonicMs;
    this.#monotonicMs = endMs;
  }

  /** Moves the wall clock alone, as a time server does. */
  jumpWall(byMs: number): void {
    this.#wallMs += byMs;
  }
}
