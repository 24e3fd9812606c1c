import type { EpisodeChange, EpisodeVerdict } from '../domain/episode.js';
import { type Clock, systemClock } from '../lib/clock.js';
import { AppError } from '../lib/errors.js';
import type { EpisodeStore, VerdictResult } from './episode-store.js';
import type { EventBus } from './event-bus.js';

export interface EpisodeJournalOptions {
  readonly store: EpisodeStore;
  readonly bus: EventBus;
  readonly clock?: Clock;
  /** Changes that wait for a store which refuses them. Default 10 000 (some 5 MB). */
  readonly maxPending?: number;
  /** First wait before another attempt; doubles up to `retryMaxMs`. Default 250. */
  readonly retryMinMs?: number;
  /** Default 5000. */
  readonly retryMaxMs?: number;
  /** An attempt to store failed; the change is kept and tried again unless `onLost` follows. */
  readonly onWriteFailed?: (error: AppError) => void;
  /** The store takes changes again after failing. */
  readonly onRecovered?: () => void;
  /** A change will never be stored: the queue was full, or the service ended before the store came back. */
  readonly onLost?: (change: EpisodeChange, why: 'overflow' | 'closing') => void;
}

interface PendingChange {
  readonly kind: 'change';
  readonly change: EpisodeChange;
  isTold: boolean;
}

/** Verdicts stand in the same line, so that numbers are published in order; they are not tried again. */
interface PendingVerdict {
  readonly kind: 'verdict';
  readonly run: () => Promise<void>;
  readonly refuse: (error: AppError) => void;
}

/**
 * Takes the changes of episodes from the path, stores each and only then publishes it, in order.
 *
 * While the store fails (full disk, lock), operators must hear of episodes all the same, but a number must not
 * be invented that the store will later give to something else. So: a change that cannot be stored is published
 * at once as `provisional` (sequence 0), kept in a bounded queue, tried again with a growing wait, and published
 * again as `stored` with its real number when it got through. docs/adr/0006-episodes-while-the-store-fails.md
 */
export class EpisodeJournal {
  readonly #options: EpisodeJournalOptions;
  readonly #clock: Clock;
  readonly #maxPending: number;
  readonly #pending: (PendingChange | PendingVerdict)[] = [];
  readonly #closing = new AbortController();
  #draining: Promise<void> | null = null;
  #failure: AppError | null = null;
  #lostCount = 0;
  #isClosed = false;

  constructor(options: EpisodeJournalOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#maxPending = options.maxPending ?? 10_000;
  }

  /** Changes not stored yet. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  get capacity(): number {
    return this.#maxPending;
  }

  /** Changes that were lost for good since the start. */
  get lostCount(): number {
    return this.#lostCount;
  }

  /** What the store said last, `null` while it takes changes. For /readyz. */
  get failure(): AppError | null {
    return this.#failure;
  }

  /** Takes one change; returns at once, never throws. What becomes of it is told on the bus. */
  record(change: EpisodeChange): void {
    if (this.#isClosed) {
      this.#lose(change, 'closing');
      return;
    }
    const entry: PendingChange = { kind: 'change', change, isTold: false };
    this.#pending.push(entry);
    if (this.#failure) this.#tellProvisional(entry);
    if (this.#pending.length > this.#maxPending) this.#dropOne();
    this.#startDraining();
  }

  /**
   * Stores an operator's verdict, then publishes it. Throws `AppError` STORE_WRITE_FAILED, also while earlier
   * changes still wait to be stored: their versions would not match what the operator saw.
   */
  verdict(id: string, version: number, verdict: EpisodeVerdict): Promise<VerdictResult> {
    if (this.#failure) return Promise.reject(unavailable(this.#failure));
    if (this.#isClosed) return Promise.reject(unavailable(undefined));
    return new Promise((resolve, reject) => {
      const run = async () => {
        const result = await this.#options.store.setVerdict(id, version, verdict);
        if (result.ok) this.#options.bus.publish('episode', { kind: 'stored', change: result.change });
        resolve(result);
      };
      this.#pending.push({ kind: 'verdict', run, refuse: (error) => reject(unavailable(error)) });
      this.#startDraining();
    });
  }

  /**
   * Closes what a crash left open, as of its last stored change: nobody watched after it. To be called once,
   * before the first `record`. Returns how many there were. Throws `AppError` STORE_READ_FAILED.
   */
  async closeLeftOpen(): Promise<number> {
    const left = await this.#options.store.openEpisodes();
    for (const { lastChangeAtMs, ...episode } of left) {
      this.record({
        change: 'closed',
        episode: { ...episode, state: 'closed', closedAtMs: lastChangeAtMs, closeReason: 'shutdown' },
      });
    }
    return left.length;
  }

  /** Waits for what is pending, at most `timeoutMs`; the rest is lost and counted. Idempotent. */
  async close(timeoutMs = 2000): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#draining) {
      const deadline = new AbortController();
      const timeUp = this.#clock.sleep(timeoutMs, deadline.signal).catch(() => undefined);
      await Promise.race([this.#draining, timeUp]);
      deadline.abort();
    }
    this.#closing.abort();
    await this.#draining;
    for (const entry of this.#pending.splice(0)) {
      if (entry.kind === 'change') this.#lose(entry.change, 'closing');
      else entry.refuse(new AppError('SERVER_CLOSING', 'the service is stopping'));
    }
  }

  #startDraining(): void {
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    const { store, bus, retryMinMs = 250, retryMaxMs = 5000 } = this.#options;
    let waitMs = retryMinMs;
    for (;;) {
      const head = this.#pending[0];
      if (!head) {
        // In this very turn: whoever comes next must not rely on a loop that has ended.
        this.#draining = null;
        return;
      }
      if (head.kind === 'verdict') {
        this.#pending.shift();
        await head.run().catch((error: unknown) => head.refuse(toAppError(error)));
        continue;
      }
      try {
        const stored = await store.append(head.change);
        this.#pending.shift();
        if (this.#failure) {
          this.#failure = null;
          this.#options.onRecovered?.();
        }
        waitMs = retryMinMs;
        bus.publish('episode', { kind: 'stored', change: stored });
      } catch (error) {
        this.#failed(error);
        try {
          await this.#clock.sleep(waitMs, this.#closing.signal);
        } catch {
          return;
        }
        waitMs = Math.min(waitMs * 2, retryMaxMs);
      }
    }
  }

  #failed(error: unknown): void {
    const failure = toAppError(error);
    this.#failure = failure;
    this.#options.onWriteFailed?.(failure);
    const verdicts = this.#pending.filter((entry) => entry.kind === 'verdict');
    const changes = this.#pending.filter((entry) => entry.kind === 'change');
    this.#pending.splice(0, this.#pending.length, ...changes);
    for (const entry of verdicts) entry.refuse(failure);
    for (const entry of changes) this.#tellProvisional(entry);
  }

  #tellProvisional(entry: PendingChange): void {
    if (entry.isTold) return;
    entry.isTold = true;
    this.#options.bus.publish('episode', { kind: 'provisional', change: { ...entry.change, sequence: 0 } });
  }

  /** Makes room: first what a later change of the same episode makes up for, then the oldest. */
  #dropOne(): void {
    // The first may be on its way into the store at this moment.
    const isUpdate = (entry: PendingChange | PendingVerdict) =>
      entry.kind === 'change' && entry.change.change === 'updated';
    const updated = this.#pending.findIndex((entry, index) => index > 0 && isUpdate(entry));
    const [dropped] = this.#pending.splice(updated > 0 ? updated : 1, 1);
    if (dropped?.kind === 'change') this.#lose(dropped.change, 'overflow');
    else dropped?.refuse(new AppError('STORE_WRITE_FAILED', 'too many changes wait to be stored'));
  }

  #lose(change: EpisodeChange, why: 'overflow' | 'closing'): void {
    this.#lostCount += 1;
    this.#options.onLost?.(change, why);
  }
}

function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError('STORE_WRITE_FAILED', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}

function unavailable(cause: unknown): AppError {
  return new AppError('STORE_WRITE_FAILED', 'verdicts cannot be stored right now; try again', {
    retryable: true,
    cause,
  });
}
