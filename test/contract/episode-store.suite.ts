import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Episode, EpisodeChange } from '../../src/domain/episode.js';
import { ManualClock } from '../../src/lib/clock.js';
import type { EpisodeStore } from '../../src/publish/episode-store.js';

export function episode(id: string, over: Partial<Episode> = {}): Episode {
  return {
    id,
    version: 1,
    cameraId: 'gate',
    trackId: 7,
    label: 'without_mask',
    state: 'open',
    openedAtMs: Date.UTC(2026, 10, 24, 8),
    score: 0.91,
    ...over,
  };
}
export const opened = (id: string, over: Partial<Episode> = {}): EpisodeChange => ({
  change: 'opened',
  episode: episode(id, over),
});
export const updated = (id: string, over: Partial<Episode> = {}): EpisodeChange => ({
  change: 'updated',
  episode: episode(id, over),
});

export interface StoreHarness {
  /** Opens a store; a second call opens the same data again. */
  open(options: { journalMaxRows?: number; clock: ManualClock }): Promise<EpisodeStore>;
  cleanUp(): Promise<void>;
}

/** What every episode store must do; run on each adapter. */
export function episodeStoreContract(
  name: string,
  options: { /** False when nothing outlives `close`. */ isDurable: boolean },
  makeHarness: () => Promise<StoreHarness>,
): void {
  describe(`episode store contract: ${name}`, () => {
    let harness: StoreHarness;
    let store: EpisodeStore;
    let clock: ManualClock;
    beforeEach(async () => {
      harness = await makeHarness();
      clock = new ManualClock({ wallMs: Date.UTC(2026, 10, 24, 9) });
      store = await harness.open({ clock });
    });
    afterEach(async () => {
      await store.close();
      await harness.cleanUp();
    });

    it('begins empty', async () => {
      expect(await store.lastSequence()).toBe(0);
      expect(await store.since(0, { limit: 10 })).toEqual([]);
      expect(await store.get('nobody')).toBeNull();
      expect(await store.openEpisodes()).toEqual([]);
    });

    it('numbers changes by one and gives back all that was put in', async () => {
      const full = episode('e1', { zone: 'hall', score: 0.123456789 });
      const first = await store.append({ change: 'opened', episode: full });
      const second = await store.append(opened('e2'));
      expect([first.sequence, second.sequence]).toEqual([1, 2]);
      expect(first).toEqual({ sequence: 1, change: 'opened', episode: full });
      expect(await store.get('e1')).toEqual(full);
      expect(await store.since(0, { limit: 10 })).toEqual([first, second]);
      expect(await store.lastSequence()).toBe(2);
    });

    it('keeps the order of changes that are appended at once', async () => {
      const stored = await Promise.all(Array.from({ length: 20 }, (_, n) => store.append(opened(`e${n}`))));
      expect(stored.map((change) => change.sequence)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
      const read = await store.since(0, { limit: 100 });
      expect(read.map((change) => change.episode.id)).toEqual(stored.map((change) => change.episode.id));
    });

    it('pages oldest first and filters by camera', async () => {
      for (let n = 0; n < 6; n += 1)
        await store.append(opened(`e${n}`, { cameraId: n % 2 ? 'gate' : "hall'; --" }));
      const page = await store.since(1, { limit: 2 });
      expect(page.map((change) => change.sequence)).toEqual([2, 3]);
      const gate = await store.since(0, { limit: 10, cameraIds: ['gate'] });
      expect(gate.map((change) => change.sequence)).toEqual([2, 4, 6]);
      const hall = await store.since(0, { limit: 10, cameraIds: ["hall'; --", 'none'] });
      expect(hall.map((change) => change.sequence)).toEqual([1, 3, 5]);
      expect(await store.since(0, { limit: 10, cameraIds: [] })).toEqual([]);
    });

    it('keeps each change as it was and the episode as it is', async () => {
      await store.append(opened('e1', { score: 0.8 }));
      clock.advance(1000);
      await store.append(updated('e1', { version: 2, score: 0.9 }));
      expect(await store.openEpisodes()).toMatchObject([{ id: 'e1', lastChangeAtMs: clock.wallMs() }]);
      await store.append({
        change: 'closed',
        episode: episode('e1', { version: 3, state: 'closed', closedAtMs: 5, closeReason: 'left' }),
      });
      const changes = await store.since(0, { limit: 10 });
      expect(changes.map(({ change, episode: e }) => [change, e.version, e.score])).toEqual([
        ['opened', 1, 0.8],
        ['updated', 2, 0.9],
        ['closed', 3, 0.91],
      ]);
      expect(await store.get('e1')).toMatchObject({ state: 'closed', closeReason: 'left' });
      expect(await store.openEpisodes()).toEqual([]);
    });

    it('lets the first of two operators win', async () => {
      await store.append(opened('e1'));
      const verdicts = await Promise.all([
        store.setVerdict('e1', 1, { kind: 'acknowledged', by: 'ann', atMs: 1 }),
        store.setVerdict('e1', 1, { kind: 'rejected', by: 'bob', reason: 'a beard', atMs: 2 }),
      ]);
      expect(verdicts[0]).toMatchObject({
        ok: true,
        change: { sequence: 2, change: 'acknowledged', episode: { version: 2, verdict: { by: 'ann' } } },
      });
      expect(verdicts[1]).toMatchObject({
        ok: false,
        code: 'EPISODE_VERSION_CONFLICT',
        current: { version: 2, verdict: { by: 'ann' } },
      });
      expect(await store.lastSequence()).toBe(2);
    });

    it('knows no verdict on an unknown episode', async () => {
      const verdict = await store.setVerdict('e1', 1, { kind: 'acknowledged', by: 'ann', atMs: 1 });
      expect(verdict).toEqual({ ok: false, code: 'EPISODE_NOT_FOUND' });
    });

    it('keeps a verdict, and the version rising, when the path goes on unaware of it', async () => {
      await store.append(opened('e1'));
      await store.setVerdict('e1', 1, { kind: 'acknowledged', by: 'ann', atMs: 1 });
      const next = await store.append(updated('e1', { version: 2 }));
      expect(next.episode).toMatchObject({ version: 3, verdict: { kind: 'acknowledged', by: 'ann' } });
    });

    it('prunes the journal with the closed episodes of which it held the last, keeps open ones, and never gives a number twice', async () => {
      await store.close();
      store = await harness.open({ clock, journalMaxRows: 10 });
      await store.append(opened('closed'));
      await store.append({ change: 'closed', episode: episode('closed', { state: 'closed' }) });
      const before = await store.lastSequence();
      for (let n = 0; n < 35; n += 1) {
        clock.advance(1000);
        await store.append(opened(`p${n}`));
        if (n === 5) expect(await store.get('closed')).not.toBeNull();
      }
      const kept = await store.since(0, { limit: 1000 });
      expect(kept).toHaveLength(10);
      expect(kept.at(-1)?.sequence).toBe(before + 35);
      expect(kept[0]?.sequence).toBe(before + 26);
      expect(await store.get('p0')).not.toBeNull();
      expect(await store.get('closed')).toBeNull();
      expect(await store.lastSequence()).toBe(before + 35);
    });

    it('closes twice, and refuses afterwards with a code', async () => {
      await store.close();
      await store.close();
      await expect(store.append(opened('e1'))).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' });
      await expect(store.since(0, { limit: 1 })).rejects.toMatchObject({ code: 'STORE_READ_FAILED' });
    });

    if (!options.isDurable) return;

    it('goes on where it stopped when it is opened again', async () => {
      await store.append(opened('e1'));
      await store.append(opened('e2'));
      await store.close();
      store = await harness.open({ clock });
      expect(await store.get('e2')).not.toBeNull();
      expect(await store.openEpisodes()).toHaveLength(2);
      expect((await store.append(opened('e3'))).sequence).toBe(3);
    });
  });
}
