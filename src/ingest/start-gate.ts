import { AppError } from '../lib/errors.js';

export interface StartGateStats {
  readonly capacity: number;
  readonly starting: number;
  readonly waiting: number;
}

interface Waiting {
  readonly failures: number;
  readonly open: () => void;
}

/**
 * Lets only so many cameras start at a time: from the start of a process to its first picture. Those that failed least go
 * first, among them in order of arrival, and cameras that failed at all get no more than half of the places: a building
 * full of dead cameras does not keep a healthy one waiting.
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
   *
   * @param failures attempts in a row that brought nothing, as far as they count against it.
   */
  async enter({ failures }: { readonly failures: number }, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#hasPlace(failures)) return this.#take(failures);
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        failures,
        open: () => {
          signal.removeEventListener('abort', onAbort);
          resolve(this.#take(failures));
        },
      };
      const onAbort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const before = this.#waiting.findIndex((other) => other.failures > failures);
      this.#waiting.splice(before < 0 ? this.#waiting.length : before, 0, entry);
    });
  }

  stats(): StartGateStats {
    return {
      capacity: this.#capacity,
      starting: this.#fresh + this.#retries,
      waiting: this.#waiting.length,
    };
  }

  #hasPlace(failures: number): boolean {
    if (this.#fresh + this.#retries >= this.#capacity) return false;
    return failures === 0 || this.#retries < this.#retryCapacity;
  }

  #take(failures: number): () => void {
    const change = (by: number) => {
      if (failures === 0) this.#fresh += by;
      else this.#retries += by;
    };
    change(1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      change(-1);
      this.#next();
    };
  }

  /** Those with fewest failures wait in front, so that a place which the first cannot take is open to no other. */
  #next(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (!first || !this.#hasPlace(first.failures)) return;
      this.#waiting.shift();
      first.open();
    }
  }
}
