import { AppError } from '../lib/errors.js';

export interface StartGateStats {
  readonly capacity: number;
  readonly starting: number;
  readonly waiting: number;
}

interface Waiting {
  readonly isRetry: boolean;
  readonly open: () => void;
}

/**
 * Lets only so many cameras start at a time: from the start of a process to its first picture. In order of arrival,
 * except that cameras which failed just now get no more than half of the places: a building full of dead cameras
 * does not keep a healthy one waiting.
 */
export class StartGate {
  readonly #capacity: number;
  readonly #retryCapacity: number;
  #fresh = 0;
  #retries = 0;
  #waiting: Waiting[] = [];

  /** @throws AppError `INGEST_GATE_SIZE` */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new AppError('INGEST_GATE_SIZE', `${capacity} cameras at a time cannot start`);
    this.#capacity = capacity;
    this.#retryCapacity = Math.max(1, Math.floor(capacity / 2));
  }

  /**
   * Resolves when this camera may start, with what it must call once it has (or has failed); later calls do nothing.
   * Rejects with the signal's reason when aborted while it waits.
   */
  async enter(options: { readonly isRetry: boolean }, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#hasPlace(options.isRetry) && !this.#waiting.some(({ isRetry }) => this.#hasPlace(isRetry)))
      return this.#take(options.isRetry);
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        isRetry: options.isRetry,
        open: () => {
          signal.removeEventListener('abort', onAbort);
          resolve(this.#take(options.isRetry));
        },
      };
      const onAbort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(entry);
    });
  }

  stats(): StartGateStats {
    return {
      capacity: this.#capacity,
      starting: this.#fresh + this.#retries,
      waiting: this.#waiting.length,
    };
  }

  #hasPlace(isRetry: boolean): boolean {
    return this.#fresh + this.#retries < this.#capacity && (!isRetry || this.#retries < this.#retryCapacity);
  }

  #take(isRetry: boolean): () => void {
    if (isRetry) this.#retries += 1;
    else this.#fresh += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      if (isRetry) this.#retries -= 1;
      else this.#fresh -= 1;
      this.#next();
    };
  }

  #next(): void {
    for (;;) {
      const index = this.#waiting.findIndex(({ isRetry }) => this.#hasPlace(isRetry));
      if (index < 0) return;
      const [entry] = this.#waiting.splice(index, 1);
      entry?.open();
    }
  }
}
