import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteEpisodeStore } from '../../../src/publish/sqlite-episode-store.js';
import { opened } from '../../contract/episode-store.suite.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-sqlite-'));
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true, force: true });
});

describe('opening an SQLite store', () => {
  it('says that a file is no database', async () => {
    const path = join(folder, 'notes.txt');
    await writeFile(path, 'these are my notes and not a database\n'.repeat(100));
    await expect(SqliteEpisodeStore.open({ path })).rejects.toMatchObject({
      code: 'STORE_OPEN_FAILED',
      exitCode: 2,
      path: 'store.path',
      message: expect.stringContaining('not a usable SQLite file'),
    });
    expect(await readFile(path, 'utf8')).toContain('my notes');
  });

  it('says that a path is a folder, or lies below a file', async () => {
    await mkdir(join(folder, 'dir'));
    await writeFile(join(folder, 'file'), '');
    for (const path of [join(folder, 'dir'), join(folder, 'file', 'e.db')]) {
      await expect(SqliteEpisodeStore.open({ path })).rejects.toMatchObject({
        code: 'STORE_OPEN_FAILED',
        message: expect.stringContaining('cannot be opened'),
        hint: expect.stringContaining('store.path'),
      });
    }
  });

  it.skipIf(process.getuid?.() === 0)(
    'says that a folder is not writable (needs a user other than root)',
    async () => {
      await chmod(folder, 0o500);
      await expect(SqliteEpisodeStore.open({ path: join(folder, 'e.db') })).rejects.toMatchObject({
        code: 'STORE_OPEN_FAILED',
        message: expect.stringContaining('cannot be opened'),
      });
    },
  );

  it('refuses a file that a newer version wrote', async () => {
    const path = join(folder, 'e.db');
    const database = new Libsql(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    await expect(SqliteEpisodeStore.open({ path })).rejects.toMatchObject({
      code: 'STORE_OPEN_FAILED',
      message: expect.stringContaining('newer version'),
    });
  });

  it('leaves one file when it closes', async () => {
    const path = join(folder, 'e.db');
    const store = await SqliteEpisodeStore.open({ path });
    await store.append(opened('e1'));
    await store.close();
    const sizes = await Promise.all(
      (await readdir(folder)).map(async (name) => [name, (await readFile(join(folder, name))).byteLength]),
    );
    expect(sizes.filter(([name, size]) => name !== 'e.db' && name !== 'e.db-shm' && size !== 0)).toEqual([]);
  });
});

describe('writing to an SQLite store', () => {
  it('says that another program holds the file, stores nothing, and goes on afterwards', async () => {
    const path = join(folder, 'e.db');
    const store = await SqliteEpisodeStore.open({ path });
    const other = new Libsql(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.append(opened('e1'))).rejects.toMatchObject({
      code: 'STORE_WRITE_FAILED',
      retryable: true,
      message: expect.stringContaining('locked by another program'),
    });
    other.exec('ROLLBACK');
    other.close();
    expect(await store.append(opened('e1'))).toMatchObject({ sequence: 1 });
    await store.close();
  });

  it('says that the disk is full, stores no half of a change, and goes on with the next number', async () => {
    const path = join(folder, 'e.db');
    const store = await SqliteEpisodeStore.open({ path, maxPages: 12 });
    let sequence = 0;
    let failure: unknown = null;
    for (let n = 0; n < 500 && !failure; n += 1) {
      try {
        sequence = (await store.append(opened(`e${n}`, { zone: 'z'.repeat(400) }))).sequence;
      } catch (error) {
        failure = error;
      }
    }
    expect(failure).toMatchObject({
      code: 'STORE_WRITE_FAILED',
      retryable: true,
      message: expect.stringContaining('no space is left'),
    });
    expect(sequence).toBeGreaterThan(2);
    expect(await store.lastSequence()).toBe(sequence);
    expect(await store.openEpisodes()).toHaveLength(sequence);
    await store.close();
    const bigger = await SqliteEpisodeStore.open({ path });
    expect(await bigger.append(opened('next'))).toMatchObject({ sequence: sequence + 1 });
    await bigger.close();
  });
});
