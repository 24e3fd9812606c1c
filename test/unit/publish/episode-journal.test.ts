import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EpisodeChange } from '../../../src/domain/episode.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { AppError } from '../../../src/lib/errors.js';
import { EpisodeJournal } from '../../../src/publish/episode-journal.js';
import { type EpisodeEvent, InProcessEventBus } from '../../../src/publish/event-bus.js';
import { SqliteEpisodeStore } from '../../../src/publish/sqlite-episode-store.js';
import { episode, opened, updated } from '../../contract/episode-store.suite.js';

/** The real store in memory, that can be told to fail. */
class FaultyStore {
  isFailing = false;
  readonly real: SqliteEpisodeStore;
  constructor(real: SqliteEpisodeStore) {
    this.real = real;
  }
  #check() {
    if (this.isFailing) throw new AppError('STORE_WRITE_FAILED', 'no space is left', { retryable: true });
  }
  append: SqliteEpisodeStore['append'] = async (change) => {
    this.#check();
    return this.real.append(change);
  };
  setVerdict: SqliteEpisodeStore['setVerdict'] = async (...args) => {
    this.#check();
    return this.real.setVerdict(...args);
  };
  since: SqliteEpisodeStore['since'] = (...args) => this.real.since(...args);
  lastSequence = () => this.real.lastSequence();
  get: SqliteEpisodeStore['get'] = (id) => this.real.get(id);
  openEpisodes = () => this.real.openEpisodes();
  close = () => this.real.close();
}

describe('episode journal', () => {
  let clock: ManualClock;
  let store: FaultyStore;
  let bus: InProcessEventBus;
  let told: string[];
  let lost: [EpisodeChange, string][];
  let failures: number;
  let journal: EpisodeJournal;

  const make = (options: { maxPending?: number } = {}) =>
    new EpisodeJournal({
      store,
      bus,
      clock,
      onWriteFailed: () => {
        failures += 1;
      },
      onLost: (change, why) => lost.push([change, why]),
      ...options,
    });
  /** The journal sleeps between attempts: it did all that it can for now. */
  const untilItWaits = () => expect.poll(() => clock.pendingCount).toBeGreaterThan(0);
  const untilStored = () => expect.poll(() => journal.pendingCount).toBe(0);

  beforeEach(async () => {
    clock = new ManualClock();
    store = new FaultyStore(await SqliteEpisodeStore.open({ path: ':memory:', clock }));
    bus = new InProcessEventBus({
      onHandlerError: (_name, error) => {
        throw error;
      },
    });
    told = [];
    lost = [];
    failures = 0;
    bus.subscribe('episode', ({ kind, change }: EpisodeEvent) => {
      told.push(`${kind} ${change.sequence} ${change.episode.id} ${change.change}`);
    });
    journal = make();
  });
  afterEach(async () => {
    const closing = journal.close(1);
    clock.advance(10_000);
    await closing;
    await store.close();
  });

  it('stores before it tells, in order', async () => {
    let wasStored: Promise<unknown> | null = null;
    bus.subscribe('episode', ({ change }) => {
      wasStored ??= store.get(change.episode.id);
    });
    journal.record(opened('a'));
    journal.record(opened('b'));
    journal.record(updated('a', { version: 2 }));
    expect(told).toEqual([]);
    await untilStored();
    expect(told).toEqual(['stored 1 a opened', 'stored 2 b opened', 'stored 3 a updated']);
    expect(await wasStored).toMatchObject({ id: 'a' });
  });

  it.each([...Array(21).keys()])('takes a change that comes %i turns after another', async (turns) => {
    journal.record(opened('a'));
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    journal.record(opened('b'));
    await journal.close();
    expect(told).toEqual(['stored 1 a opened', 'stored 2 b opened']);
    expect(lost).toEqual([]);
  });

  it('tells at once, without a number, what cannot be stored, and again with its number later', async () => {
    store.isFailing = true;
    journal.record(opened('a'));
    await untilItWaits();
    journal.record(opened('b'));
    expect(told).toEqual(['provisional 0 a opened', 'provisional 0 b opened']);
    expect(journal.failure).toMatchObject({ code: 'STORE_WRITE_FAILED' });
    expect(journal.pendingCount).toBe(2);

    clock.advance(250);
    await expect.poll(() => failures).toBe(2);
    await untilItWaits();
    store.isFailing = false;
    clock.advance(500);
    await untilStored();
    expect(told.slice(2)).toEqual(['stored 1 a opened', 'stored 2 b opened']);
    expect(journal.failure).toBeNull();
    expect(lost).toEqual([]);
  });

  it('waits longer each time, up to a limit', async () => {
    store.isFailing = true;
    journal.record(opened('a'));
    for (const [attempt, waitMs] of [250, 500, 1000, 2000, 4000, 5000, 5000].entries()) {
      await untilItWaits();
      expect(failures).toBe(attempt + 1);
      clock.advance(waitMs - 1);
      expect(clock.pendingCount).toBe(1);
      clock.advance(1);
      await expect.poll(() => failures).toBe(attempt + 2);
    }
  });

  it('loses what others make up for first, when too much waits, and says so', async () => {
    journal = make({ maxPending: 3 });
    store.isFailing = true;
    journal.record(opened('a'));
    await untilItWaits();
    journal.record(opened('b'));
    journal.record(updated('a', { version: 2 }));
    journal.record(opened('c'));
    journal.record(opened('d'));
    expect(lost.map(([change, why]) => [change.episode.id, change.change, why])).toEqual([
      ['a', 'updated', 'overflow'],
      ['b', 'opened', 'overflow'],
    ]);
    expect(journal.lostCount).toBe(2);
    expect(told.every((line) => line.startsWith('provisional'))).toBe(true);
    expect(told).toHaveLength(5);
  });

  it('puts verdicts in the same line, and refuses them while it cannot store', async () => {
    journal.record(opened('a'));
    const verdict = await journal.verdict('a', 1, { kind: 'acknowledged', by: 'ann', atMs: 1 });
    expect(verdict).toMatchObject({ ok: true, change: { sequence: 2 } });
    expect(told).toEqual(['stored 1 a opened', 'stored 2 a acknowledged']);

    store.isFailing = true;
    journal.record(opened('b'));
    const queued = journal.verdict('a', 2, { kind: 'rejected', by: 'bob', reason: 'x', atMs: 2 });
    await expect(queued).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED', retryable: true });
    await expect(journal.verdict('a', 2, { kind: 'acknowledged', by: 'bob', atMs: 2 })).rejects.toMatchObject(
      {
        code: 'STORE_WRITE_FAILED',
      },
    );
  });

  it('closes what a crash left open, as of its last change', async () => {
    await store.append({ change: 'opened', episode: episode('a') });
    const lastMs = clock.wallMs();
    clock.advance(8 * 3600 * 1000);
    expect(await journal.closeLeftOpen()).toBe(1);
    await untilStored();
    expect(await store.get('a')).toMatchObject({
      state: 'closed',
      closeReason: 'shutdown',
      closedAtMs: lastMs,
      version: 2,
    });
    expect(await store.get('a')).not.toHaveProperty('lastChangeAtMs');
    expect(told).toEqual(['stored 2 a closed']);
  });

  it('stores what waits when it closes; what it cannot is lost and counted', async () => {
    journal.record(opened('a'));
    await journal.close();
    expect(told).toEqual(['stored 1 a opened']);
    journal.record(opened('late'));
    expect(lost).toMatchObject([[{ episode: { id: 'late' } }, 'closing']]);

    journal = make();
    store.isFailing = true;
    journal.record(opened('b'));
    await untilItWaits();
    const closing = journal.close(100);
    clock.advance(100);
    await closing;
    expect(lost.at(-1)).toMatchObject([{ episode: { id: 'b' } }, 'closing']);
    expect(clock.pendingCount).toBe(0);
  });
});
