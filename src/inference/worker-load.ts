/** How long ago still counts: after this time a past load weighs 1/e. */
const MEMORY_MS = 10_000;

/**
 * Share of a pool's workers that are busy, as a moving average over about the last ten seconds. Fed on every change
 * of the number of tasks under way; reading it changes nothing.
 */
export class WorkerLoad {
  readonly #workers: number;
  readonly #nowMs: () => number;
  #average = 0;
  #busy = 0;
  #sinceMs: number;

  /** `nowMs` is a monotonic clock. */
  constructor(workers: number, nowMs: () => number = () => performance.now()) {
    this.#workers = workers;
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  /** Tells how many tasks are under way now, waiting ones included. */
  set(tasks: number): void {
    const nowMs = this.#nowMs();
    this.#average = this.#averageAt(nowMs);
    this.#sinceMs = nowMs;
    this.#busy = Math.min(tasks, this.#workers) / this.#workers;
  }

  /** In [0, 1]. */
  get utilization(): number {
    return this.#averageAt(this.#nowMs());
  }

  #averageAt(nowMs: number): number {
    const kept = Math.exp(-(nowMs - this.#sinceMs) / MEMORY_MS);
    return this.#busy + (this.#average - this.#busy) * kept;
  }
}
