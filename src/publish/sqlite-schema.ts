import type { Database } from 'libsql';
import { AppError } from '../lib/errors.js';

/*
 * Versioned, forward-only migrations: entry N brings `user_version` N to N + 1. Never change one that was
 * released; add another.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE episodes (
     id TEXT PRIMARY KEY,
     version INTEGER NOT NULL,
     camera_id TEXT NOT NULL,
     state TEXT NOT NULL,
     opened_at_ms INTEGER NOT NULL,
     last_change_at_ms INTEGER NOT NULL,
     episode TEXT NOT NULL -- JSON of domain Episode, the newest
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX episodes_open ON episodes (opened_at_ms) WHERE state = 'open';
   CREATE INDEX episodes_camera ON episodes (camera_id, opened_at_ms);
   CREATE TABLE journal (
     -- AUTOINCREMENT keeps the highest number in sqlite_sequence, so pruning never gives one out twice
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     camera_id TEXT NOT NULL,
     change TEXT NOT NULL,
     at_ms INTEGER NOT NULL,
     episode TEXT NOT NULL -- JSON of domain Episode as it was with this change
   ) STRICT;
   CREATE INDEX journal_camera ON journal (camera_id, sequence);`,
  `CREATE INDEX episodes_closed ON episodes (last_change_at_ms) WHERE state = 'closed';`,
];

/**
 * Brings the schema up to date. Writes in any case, so that a read-only file or a full disk is found at start.
 * Throws STORE_OPEN_FAILED when a newer Maskwatch wrote the file, else what SQLite throws.
 */
export function migrate(database: Database, path: string): void {
  const row = database.prepare('PRAGMA user_version').get() as { user_version: number };
  const found = row.user_version;
  if (found > MIGRATIONS.length) {
    throw new AppError('STORE_OPEN_FAILED', `${path} was written by a newer version of Maskwatch`, {
      hint: `It has schema ${found}, this version knows ${MIGRATIONS.length}. Update Maskwatch or set store.path to another file.`,
      path: 'store.path',
      exitCode: 2,
    });
  }
  for (let version = found; version < MIGRATIONS.length; version += 1) {
    inTransaction(database, () => {
      database.exec(MIGRATIONS[version] ?? '');
      database.exec(`PRAGMA user_version = ${version + 1}`);
    });
  }
  inTransaction(database, () => database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`));
}

/**
 * Runs `work` within one write transaction. SQLite rolls back by itself on some failures (a full disk), so a
 * second rollback must not hide the first error.
 */
export function inTransaction<T>(database: Database, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    try {
      if (database.inTransaction) database.exec('ROLLBACK');
    } catch {
      // The first error says what happened.
    }
    throw error;
  }
}
