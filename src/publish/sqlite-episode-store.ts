import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import Libsql, { type Database, type Statement } from 'libsql';
import type { Episode, EpisodeChange, EpisodeVerdict, SequencedEpisodeChange } from '../domain/episode.js';
import { type Clock, systemClock } from '../lib/clock.js';
import { AppError } from '../lib/errors.js';
import type { EpisodeStore, OpenEpisode, VerdictResult } from './episode-store.js';
import { storeFailure } from './sqlite-failures.js';
import { inTransaction, migrate } from './sqlite-schema.js';

export interface SqliteEpisodeStoreOptions {
  /** File, created with its folder where missing; `:memory:` keeps nothing beyond `close`. */
  readonly path: string;
  /** Journal rows kept at the least; up to 1 % more may be there. Default 100 000. */
  readonly journalMaxRows?: number;
  /** Pages (4 KiB) that the file may have. Default: as many as the disk takes. */
  readonly maxPages?: number;
  readonly clock?: Clock;
  /** The disk refused to confirm a write that SQLite took: it may be lost if the power fails now. */
  readonly onSyncFailed?: (error: unknown) => void;
}

/** The main thread waits this long for another process's lock; the caller tries again later. */
const BUSY_TIMEOUT_MS = 50;
const MEMORY = ':memory:';

interface JournalRow {
  sequence: number;
  change: EpisodeChange['change'];
  episode: string;
}

/**
 * Episodes in an SQLite file (WAL). Statements run on the calling thread, some 20 µs each; waiting for the disk
 * does not: SQLite runs with `synchronous = NORMAL`, so a commit ends in the page cache, and the log is then
 * flushed by `fdatasync` on a thread of libuv before the promise resolves. One flush serves all who wait.
 */
export class SqliteEpisodeStore implements EpisodeStore {
  readonly #database: Database;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #journalMaxRows: number;
  readonly #onSyncFailed: (error: unknown) => void;
  readonly #log: FileHandle | null;
  readonly #statements: ReturnType<typeof prepareStatements>;
  #flushing: Promise<void> | null = null;
  #nextFlush: Promise<void> | null = null;
  #isClosed = false;

  /**
   * Opens or creates the file and brings its schema up to date.
   * Throws `AppError` STORE_OPEN_FAILED (exit code 2) saying what is wrong with the path.
   */
  static async open(options: SqliteEpisodeStoreOptions): Promise<SqliteEpisodeStore> {
    const isMemory = options.path === MEMORY;
    const path = isMemory ? MEMORY : resolve(options.path);
    let database: Database | null = null;
    try {
      if (!isMemory) await mkdir(dirname(path), { recursive: true });
      database = new Libsql(path, { timeout: BUSY_TIMEOUT_MS });
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
      if (options.maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${options.maxPages}`);
      migrate(database, path);
      const log = isMemory ? null : await open(`${path}-wal`, 'r+');
      return new SqliteEpisodeStore(database, path, log, options);
    } catch (error) {
      database?.close();
      throw error instanceof AppError ? error : storeFailure('STORE_OPEN_FAILED', path, error);
    }
  }

  private constructor(
    database: Database,
    path: string,
    log: FileHandle | null,
    options: SqliteEpisodeStoreOptions,
  ) {
    this.#database = database;
    this.#path = path;
    this.#log = log;
    this.#clock = options.clock ?? systemClock;
    this.#journalMaxRows = options.journalMaxRows ?? 100_000;
    this.#onSyncFailed = options.onSyncFailed ?? (() => undefined);
    this.#statements = prepareStatements(database);
  }

  async append(change: EpisodeChange): Promise<SequencedEpisodeChange> {
    const stored = this.#write(() => {
      const current = this.#find(change.episode.id);
      const episode: Episode = current
        ? {
            ...change.episode,
            version: current.version + 1,
            ...(current.verdict && !change.episode.verdict ? { verdict: current.verdict } : {}),
          }
        : change.episode;
      return this.#store(change.change, episode);
    });
    await this.#flush();
    return stored;
  }

  async setVerdict(id: string, version: number, verdict: EpisodeVerdict): Promise<VerdictResult> {
    const result = this.#write((): VerdictResult => {
      const current = this.#find(id);
      if (!current) return { ok: false, code: 'EPISODE_NOT_FOUND' };
      if (current.version !== version) return { ok: false, code: 'EPISODE_VERSION_CONFLICT', current };
      const episode: Episode = { ...current, version: version + 1, verdict };
      return { ok: true, change: this.#store(verdict.kind, episode) };
    });
    if (result.ok) await this.#flush();
    return result;
  }

  async since(
    sequence: number,
    options: { limit: number; cameraIds?: readonly string[] },
  ): Promise<readonly SequencedEpisodeChange[]> {
    return this.#read(() => {
      const { limit, cameraIds } = options;
      const rows =
        cameraIds === undefined
          ? this.#statements.since.all(sequence, limit)
          : this.#statements.sinceOfCameras.all(sequence, JSON.stringify(cameraIds), limit);
      return (rows as JournalRow[]).map((row) => ({
        sequence: row.sequence,
        change: row.change,
        episode: JSON.parse(row.episode) as Episode,
      }));
    });
  }

  async lastSequence(): Promise<number> {
    return this.#read(() => {
      const row = this.#statements.lastSequence.get() as { seq: number } | undefined;
      return row?.seq ?? 0;
    });
  }

  async get(id: string): Promise<Episode | null> {
    return this.#read(() => this.#find(id));
  }

  async openEpisodes(): Promise<readonly OpenEpisode[]> {
    return this.#read(() => {
      const rows = this.#statements.open.all() as { episode: string; last_change_at_ms: number }[];
      return rows.map((row) => ({
        ...(JSON.parse(row.episode) as Episode),
        lastChangeAtMs: row.last_change_at_ms,
      }));
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#flush();
    try {
      // Leaves one file, not three. libsql keeps the file open while prepared statements live, so closing alone
      // would not do it.
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Another process reads, or the disk is full: the log is read when the file is opened again.
    }
    this.#database.close();
    await this.#log?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #find(id: string): Episode | null {
    const row = this.#statements.find.get(id) as { episode: string } | undefined;
    return row ? (JSON.parse(row.episode) as Episode) : null;
  }

  #store(change: EpisodeChange['change'], episode: Episode): SequencedEpisodeChange {
    const atMs = this.#clock.wallMs();
    const json = JSON.stringify(episode);
    this.#statements.upsert.run(
      episode.id,
      episode.version,
      episode.cameraId,
      episode.state,
      episode.openedAtMs,
      atMs,
      json,
    );
    const { lastInsertRowid } = this.#statements.insert.run(episode.cameraId, change, atMs, json);
    const sequence = Number(lastInsertRowid);
    // Pruned in steps of 1 %: a delete with every insert would double the work.
    if (sequence % Math.max(1, Math.floor(this.#journalMaxRows / 100)) === 0) {
      this.#statements.prune.run(sequence - this.#journalMaxRows);
      this.#statements.pruneEpisodes.run();
    }
    return { sequence, change, episode };
  }

  #write<T>(work: () => T): T {
    try {
      this.#assertOpen();
      return inTransaction(this.#database, work);
    } catch (error) {
      throw storeFailure('STORE_WRITE_FAILED', this.#path, error);
    }
  }

  #read<T>(work: () => T): T {
    try {
      this.#assertOpen();
      return work();
    } catch (error) {
      throw storeFailure('STORE_READ_FAILED', this.#path, error);
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Error('the database connection is not open');
  }

  /** Resolves when everything committed so far is on disk; who comes while a flush runs shares the next one. */
  #flush(): Promise<void> {
    const log = this.#log;
    if (!log) return Promise.resolve();
    const flushOnce = async () => {
      try {
        await log.datasync();
      } catch (error) {
        // The row is stored and its number given: saying "failed" here would store it twice.
        this.#onSyncFailed(error);
      }
    };
    if (!this.#flushing) {
      this.#flushing = flushOnce().finally(() => {
        this.#flushing = null;
      });
      return this.#flushing;
    }
    this.#nextFlush ??= this.#flushing.then(() => {
      this.#nextFlush = null;
      return this.#flush();
    });
    return this.#nextFlush;
  }
}

function prepareStatements(
  database: Database,
): Record<
  | 'find'
  | 'upsert'
  | 'insert'
  | 'prune'
  | 'pruneEpisodes'
  | 'since'
  | 'sinceOfCameras'
  | 'lastSequence'
  | 'open',
  Statement
> {
  return {
    find: database.prepare('SELECT episode FROM episodes WHERE id = ?'),
    upsert: database.prepare(
      `INSERT INTO episodes (id, version, camera_id, state, opened_at_ms, last_change_at_ms, episode)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state,
         last_change_at_ms = excluded.last_change_at_ms, episode = excluded.episode`,
    ),
    insert: database.prepare('INSERT INTO journal (camera_id, change, at_ms, episode) VALUES (?, ?, ?, ?)'),
    prune: database.prepare('DELETE FROM journal WHERE sequence <= ?'),
    // Closed ones of which the journal knows nothing any more.
    pruneEpisodes: database.prepare(
      `DELETE FROM episodes WHERE state = 'closed'
       AND last_change_at_ms < (SELECT at_ms FROM journal ORDER BY sequence LIMIT 1)`,
    ),
    since: database.prepare(
      'SELECT sequence, change, episode FROM journal WHERE sequence > ? ORDER BY sequence LIMIT ?',
    ),
    sinceOfCameras: database.prepare(
      `SELECT sequence, change, episode FROM journal
       WHERE sequence > ? AND camera_id IN (SELECT value FROM json_each(?)) ORDER BY sequence LIMIT ?`,
    ),
    lastSequence: database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'journal'"),
    open: database.prepare(
      "SELECT episode, last_change_at_ms FROM episodes WHERE state = 'open' ORDER BY opened_at_ms, id",
    ),
  };
}
