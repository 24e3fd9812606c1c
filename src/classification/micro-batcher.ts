import type { Clock } from '../lib/clock.js';
import { type ErrorShape, toErrorShape } from '../lib/errors.js';

/** What became of one item. A failure is a value: one camera's bad batch must not throw into another's path. */
export type BatchOutcome<Result> =
  | { readonly ok: true; readonly value: Result }
  | { readonly ok: false; readonly error: ErrorShape };

/** Told after each batch, for metrics. */
export interface BatchReport {
  readonly size: number;
  /** Time from the first item's arrival to the start of the batch, ms. */
  readonly waitMs: number;
  /** Time that the model ran for it, without any waiting, ms; `null` for a batch that failed. */
  readonly inferenceMs: number | null;
  readonly ok: boolean;
  /** Code of the failure of a batch that failed. */
  readonly errorCode?: string;
  /** Why it was closed. */
  readonly closedBy: 'size' | 'age' | 'close';
}

export interface MicroBatcherOptions<Item, Result> {
  readonly clock: Clock;
  /** Items in a batch at the most, 1 or more. */
  readonly maxSize: number;
  /** A batch is closed when its first item has waited this long, ms; 0 gathers only what comes in one turn. */
  readonly maxAgeMs: number;
  /** Batches that may run at once (one per worker), 1 or more. Further items wait here, not in the pool. */
  readonly maxRunning: number;
  /** Items that may wait. When one more comes the oldest goes, as its picture is the oldest. */
  readonly maxQueue: number;
  /**
   * Gives one result per item in their order and the time that the model ran, ms, or one failure for all. May throw;
   * that fails this batch.
   */
  readonly run: (
    items: readonly Item[],
  ) => Promise<
    | { readonly ok: true; readonly results: readonly Result[]; readonly inferenceMs: number }
    | { readonly ok: false; readonly error: ErrorShape }
  >;
  readonly onBatch?: (report: BatchReport) => void;
  /** Called once per item that was dropped because the queue was full. */
  readonly onDrop?: () => void;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly sinceMs: number;
  readonly settle: (outcome: BatchOutcome<Result>) => void;
}

/**
 * Gathers items of all cameras into batches that are closed by size or by age, whichever comes first. While
 * `maxRunning` batches run, items wait and the next batches become fuller.
 */
export class MicroBatcher<Item, Result> {
  readonly #options: MicroBatcherOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  readonly #running = new Set<Promise<void>>();
  /** Rings when `first`, the oldest waiting item, has waited long enough. */
  #timer: { readonly first: Waiting<Item, Result>; readonly abort: AbortController } | null = null;
  #isClosed = false;

  constructor(options: MicroBatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /** Items that wait for a batch. */
  get queueSize(): number {
    return this.#waiting.length;
  }

  /** Resolves when the item's batch has run, or it was dropped (BATCH_QUEUE_FULL, BATCHER_CLOSED). */
  submit(item: Item): Promise<BatchOutcome<Result>> {
    if (this.#isClosed) return Promise.resolve(failure('BATCHER_CLOSED', 'the service is closing'));
    return new Promise((settle) => {
      this.#waiting.push({ item, sinceMs: this.#options.clock.monotonicMs(), settle });
      if (this.#waiting.length > this.#options.maxQueue) {
        this.#waiting
          .shift()
          ?.settle(failure('BATCH_QUEUE_FULL', 'newer crops took its place in the full queue'));
        this.#options.onDrop?.();
      }
      this.#pump();
    });
  }

  /** Takes no more items, runs what waits, and resolves when every batch has ended. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pump();
    while (this.#running.size > 0) await Promise.race(this.#running);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Starts every batch that is due, and sets the timer for the next one. */
  #pump(): void {
    const { clock, maxSize, maxAgeMs, maxRunning } = this.#options;
    while (this.#waiting.length > 0 && this.#running.size < maxRunning) {
      const ageMs = clock.monotonicMs() - this.#waiting[0]!.sinceMs;
      if (this.#waiting.length >= maxSize) this.#start('size');
      else if (this.#isClosed) this.#start('close');
      else if (maxAgeMs > 0 && ageMs >= maxAgeMs) this.#start('age');
      else {
        this.#setTimer(maxAgeMs - ageMs);
        return;
      }
    }
    this.#clearTimer();
  }

  #clearTimer(): void {
    this.#timer?.abort.abort();
    this.#timer = null;
  }

  #setTimer(delayMs: number): void {
    const first = this.#waiting[0]!;
    if (this.#timer?.first === first) return;
    this.#clearTimer();
    const abort = new AbortController();
    this.#timer = { first, abort };
    const { clock, maxAgeMs } = this.#options;
    const due = maxAgeMs === 0 ? Promise.resolve() : clock.sleep(delayMs, abort.signal);
    due.then(
      () => {
        if (abort.signal.aborted) return;
        this.#timer = null;
        // A timer may ring a fraction of a millisecond early: its ring decides, not the age.
        if (this.#waiting[0] === first && this.#running.size < this.#options.maxRunning) this.#start('age');
        this.#pump();
      },
      () => {
        // Set aside: another item is the oldest now, or every worker is busy and will pump when it is free.
      },
    );
  }

  #start(closedBy: BatchReport['closedBy']): void {
    const batch = this.#waiting.splice(0, this.#options.maxSize);
    const running = this.#runBatch(batch, closedBy).finally(() => {
      this.#running.delete(running);
      this.#pump();
    });
    this.#running.add(running);
  }

  async #runBatch(batch: readonly Waiting<Item, Result>[], closedBy: BatchReport['closedBy']): Promise<void> {
    const { clock, run, onBatch } = this.#options;
    const startMs = clock.monotonicMs();
    const waitMs = startMs - batch[0]!.sinceMs;
    let error: ErrorShape | undefined;
    let results: readonly Result[] = [];
    let inferenceMs: number | null = null;
    try {
      const outcome = await run(batch.map(({ item }) => item));
      if (!outcome.ok) error = outcome.error;
      else if (outcome.results.length === batch.length) ({ results, inferenceMs } = outcome);
      else error = badCount(outcome.results.length, batch.length);
    } catch (thrown) {
      error = toErrorShape(thrown, 'BATCH_FAILED');
    }
    onBatch?.({
      ...{ size: batch.length, waitMs, inferenceMs, ok: !error, closedBy },
      ...(error ? { errorCode: error.code } : {}),
    });
    for (const [index, { settle }] of batch.entries())
      settle(error ? { ok: false, error } : { ok: true, value: results[index]! });
  }
}

function failure(code: string, message: string): { ok: false; error: ErrorShape } {
  return { ok: false, error: { code, message, retryable: true } };
}

function badCount(got: number, expected: number): ErrorShape {
  return {
    code: 'BATCH_FAILED',
    message: `${got} results came for a batch of ${expected}`,
    retryable: false,
  };
}
