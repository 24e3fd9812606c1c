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

interface Pending {
  readonly change: EpisodeChange;
  isTold: boolean;
}

/**
 * Takes the changes of episodes from the path, stores each and only then publishes it, in order.
 *
 * While the store fails (full disk, lock), operators must hear of episodes all the same, but a number must not
 * be invented that the store will later give to something else. So: a change that cannot be stored is published
 * at once as `provisional` (sequence 0), kept in a bounded queue, tried again with a growing wait, and published
 * again as `stored` with its real number when it got through. docs/adr/0010-episodes-while-the-store-fails.md
 */
export class EpisodeJournal {
  readonly #options: EpisodeJournalOptions;
  readonly #clock: Clock;
  readonly #maxPending: number;
  readonly #pending: Pending[] = [];
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
    const entry: Pending = { change, isTold: false };
    this.#pending.push(entry);
    if (this.#failure) this.#tellProvisional(entry);
    if (this.#pending.length > this.#maxPending) this.#dropOne();
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = null;
    });
  }

  /**
   * Stores an operator's verdict, then publishes it. Throws `AppError` STORE_WRITE_FAILED, also while earlier
   * changes still wait to be stored: their versions would not match what the operator saw.
   */
  async verdict(id: string, version: number, verdict: EpisodeVerdict): Promise<VerdictResult> {
    if (this.#failure)
      throw new AppError('STORE_WRITE_FAILED', 'episodes cannot be stored right now; try again', {
        retryable: true,
        cause: this.#failure,
      });
    // What was recorded before comes first, so that numbers are published in order.
    await this.#draining;
    const result = await this.#options.store.setVerdict(id, version, verdict);
    if (result.ok) this.#options.bus.publish('episode', { kind: 'stored', change: result.change });
    return result;
  }

  /**
   * Closes what a crash left open, as of its last stored change: nobody watched after it. To be called once,
   * before the first `record`. Returns how many there were.
   */
  async closeLeftOpen(): Promise<number> {
    const left = await this.#options.store.openEpisodes();
    for (const { lastChangeAtMs, ...episode } of left) {
      this.record({
        change: 'closed',
        episode: { ...episode, state: 'closed', closedAtMs: lastChangeAtMs, closeReason: 'shutdown' },
      });
    }
    await this.#draining;
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
    for (const { change } of this.#pending.splice(0)) this.#lose(change, 'closing');
  }

  async #drain(): Promise<void> {
    const { store, bus, retryMinMs = 250, retryMaxMs = 5000 } = this.#options;
    let waitMs = retryMinMs;
    for (;;) {
      const head = this.#pending[0];
      if (!head) return;
      try {
        const stored = await store.append(head.change);
        // The queue may have dropped it while it was being stored; then it is stored and there is nothing to shift.
        if (this.#pending[0] === head) this.#pending.shift();
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
    this.#failure =
      error instanceof AppError ? error : new AppError('STORE_WRITE_FAILED', String(error), { cause: error });
    this.#options.onWriteFailed?.(this.#failure);
    for (const entry of this.#pending) this.#tellProvisional(entry);
  }

  #tellProvisional(entry: Pending): void {
    if (entry.isTold) return;
    entry.isTold = true;
    this.#options.bus.publish('episode', { kind: 'provisional', change: { ...entry.change, sequence: 0 } });
  }

  /** Makes room: first what a later change of the same episode makes up for, then the oldest. */
  #dropOne(): void {
    // The first may be on its way into the store at this moment.
    const updated = this.#pending.findIndex(({ change }, index) => index > 0 && change.change === 'updated');
    const [dropped] = this.#pending.splice(updated > 0 ? updated : 1, 1);
    if (dropped) this.#lose(dropped.change, 'overflow');
  }

  #lose(change: EpisodeChange, why: 'overflow' | 'closing'): void {
    this.#lostCount += 1;
    this.#options.onLost?.(change, why);
  }
}
