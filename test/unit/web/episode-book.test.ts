import { describe, expect, it } from 'vitest';
import type { EpisodePayload } from '../../../src/publish/events.js';
import { EpisodeBook } from '../../../web/src/episode-book.js';

const episode = (
  id: string,
  sequence: number,
  version: number,
  more: Partial<EpisodePayload> = {},
): EpisodePayload => ({
  v: 1,
  sequence,
  id,
  version,
  change: version === 1 ? 'opened' : 'updated',
  cameraId: 'a',
  trackId: 1,
  label: 'without_mask',
  openedAt: `2026-01-01T00:00:0${id.length}.000Z`,
  score: 0.9,
  ...more,
});

describe('EpisodeBook', () => {
  it('keeps the newest version, however the changes come', () => {
    const book = new EpisodeBook(10);
    expect(book.add(episode('x', 2, 2, { score: 0.95 }))).toBe(true);
    expect(book.add(episode('x', 1, 1))).toBe(false);
    expect(book.list().map(({ version }) => version)).toEqual([2]);
    expect(book.lastSequence).toBe(2);
  });

  it('lists open episodes first, newest first', () => {
    const book = new EpisodeBook(10);
    book.add(episode('a', 1, 1));
    book.add(episode('bb', 2, 1, { closedAt: '2026-01-01T00:01:00.000Z', change: 'closed' }));
    book.add(episode('ccc', 3, 1));
    expect(book.list().map(({ id }) => id)).toEqual(['ccc', 'a', 'bb']);
  });

  it('puts who wears no mask before who wears it wrong', () => {
    const book = new EpisodeBook(10);
    book.add(episode('a', 1, 1));
    book.add(episode('bb', 2, 1, { label: 'mask_worn_incorrectly' }));
    expect(book.list().map(({ id }) => id)).toEqual(['a', 'bb']);
  });

  it('forgets the oldest closed episode above its capacity, never an open one', () => {
    const book = new EpisodeBook(2);
    book.add(episode('a', 1, 1));
    book.add(episode('bb', 2, 1, { closedAt: '2026-01-01T00:01:00.000Z', change: 'closed' }));
    book.add(episode('ccc', 3, 1));
    expect(book.list().map(({ id }) => id)).toEqual(['ccc', 'a']);
  });

  it('forgets everything for another journal', () => {
    const book = new EpisodeBook(2);
    book.add(episode('a', 9, 3));
    book.clear();
    expect(book.lastSequence).toBeNull();
    expect(book.add(episode('a', 1, 1))).toBe(true);
  });
});
