import { describe, expect, it } from 'vitest';
import { createEpisodeIdGenerator } from '../../../src/decision/episode-id.js';

const NOW_MS = Date.UTC(2026, 0, 5, 8);

describe('createEpisodeIdGenerator', () => {
  it('makes 26 characters whose first ten are the time, as in a ULID', () => {
    // The example of the ULID specification: 1469918176385 is 01ARYZ6S41.
    expect(createEpisodeIdGenerator()(1_469_918_176_385)).toMatch(/^01aryz6s41[0-9a-hjkmnp-tv-z]{16}$/);
  });

  it('sorts by the order of making: in one millisecond, forwards, and with the clock set back', () => {
    const newId = createEpisodeIdGenerator();
    const times = [
      NOW_MS,
      NOW_MS,
      NOW_MS,
      NOW_MS + 1,
      NOW_MS - 3_600_000,
      NOW_MS - 3_600_000,
      NOW_MS + 3_600_000,
      NOW_MS,
    ];
    const ids = times.map((ms) => newId(ms));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('goes on to the next millisecond when the random part is used up', () => {
    const newId = createEpisodeIdGenerator((size) => new Uint8Array(size).fill(255));
    const ids = [newId(NOW_MS)];
    // The first digit leaves half of the room; the rest is full, so the next count carries.
    for (let i = 0; i < 40; i++) ids.push(newId(NOW_MS));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(41);
  });

  it('makes different ids in two processes at the same moment', () => {
    expect(createEpisodeIdGenerator()(NOW_MS)).not.toBe(createEpisodeIdGenerator()(NOW_MS));
  });
});
