import {
  type InferenceResult,
  SHARED_STATE,
  SHARED_STATE_LENGTH,
  type TaskFailure,
} from '../../workers/protocol.js';
import type { PoolLog } from './inference-pool.js';
import type { ThreadEvents } from './worker-threads.js';

/** What is known of a pool's threads: who died, whether new ones start, and who waits in vain. */
export class PoolState implements ThreadEvents {
  /** Shared with the threads, see {@link SHARED_STATE}. */
  readonly shared = new Int32Array(new SharedArrayBuffer(SHARED_STATE_LENGTH * Int32Array.BYTES_PER_ELEMENT));
  readonly #log: PoolLog | undefined;
  readonly #waiting = new Set<(failure: TaskFailure) => void>();
  #phase: 'starting' | 'open' | 'closed' = 'starting';
  #readyCount = 0;
  #deaths = 0;
  #lastStartFailed = false;
  #lastError: unknown;

  constructor(log: PoolLog | undefined) {
    this.#log = log;
  }

  get deaths(): number {
    return this.#deaths;
  }

  /** True from a start that failed to the next that comes through. */
  get lastStartFailed(): boolean {
    return this.#lastStartFailed;
  }

  open(): void {
    this.#phase = 'open';
    Atomics.store(this.shared, SHARED_STATE.isOpen, 1);
    Atomics.store(this.shared, SHARED_STATE.failedStarts, 0);
  }

  close(): void {
    this.#phase = 'closed';
  }

  ready(): void {
    this.#readyCount++;
    this.#lastStartFailed = false;
    if (this.#phase === 'open')
      this.#log?.info({ workersReady: this.#readyCount }, 'a new inference worker is ready');
  }

  error(error: unknown): void {
    this.#lastError = error;
  }

  gone(wasReady: boolean): void {
    if (wasReady) this.#readyCount--;
    if (this.#phase !== 'open') return;
    if (wasReady) {
      this.#deaths++;
      this.#log?.warn(
        { workerDeaths: this.#deaths, workersReady: this.#readyCount, reason: this.#takeError() },
        'an inference worker died; a new one is being started',
      );
      return;
    }
    this.#lastStartFailed = true;
    this.#log?.error(
      { workersReady: this.#readyCount, reason: this.#takeError() },
      'an inference worker did not start; it is tried again while there is work',
    );
    if (this.#readyCount > 0) return;
    for (const settle of [...this.#waiting]) settle(this.outage());
  }

  /** `running`, or a failure as soon as no thread is left and a new one has failed to start. */
  settledOnOutage(running: Promise<InferenceResult>): Promise<InferenceResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(resolve);
      running.then(resolve, reject).finally(() => this.#waiting.delete(resolve));
    });
  }

  outage(): TaskFailure {
    const message = 'no inference worker lives, and a new one does not start (see the log)';
    return { ok: false, error: { code: 'WORKER_UNAVAILABLE', message, retryable: true } };
  }

  #takeError(): string | undefined {
    const error = this.#lastError;
    this.#lastError = undefined;
    if (error === undefined) return undefined;
    return error instanceof Error ? error.message : String(error);
  }
}
