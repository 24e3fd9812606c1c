import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteEpisodeStore } from '../../src/publish/sqlite-episode-store.js';
import { episodeStoreContract } from './episode-store.suite.js';

episodeStoreContract('SQLite file', { isDurable: true }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'maskwatch-store-'));
  return {
    open: (options) => SqliteEpisodeStore.open({ path: join(folder, 'new', 'folder', 'e.db'), ...options }),
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  };
});

episodeStoreContract('SQLite in memory', { isDurable: false }, async () => ({
  open: (options) => SqliteEpisodeStore.open({ path: ':memory:', ...options }),
  cleanUp: async () => undefined,
}));
