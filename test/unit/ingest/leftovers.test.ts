import { describe, expect, it } from 'vitest';
import { endLeftovers, leftovers } from '../../../src/ingest/leftovers.js';
import { formatMark, type Owner, ourselves, readMark } from '../../../src/ingest/owner-mark.js';
import { type ProcessEntry, parsePs } from '../../../src/ingest/process-table.js';

const ID = '0f8fad5b-d9cb-469f-a165-70867728950e';
const owner: Owner = { pid: 100, startedAt: 5000, space: 4026531836, id: ID };
const self = { pid: 900, space: 4026531836 };

function entry(changes: Partial<ProcessEntry>): ProcessEntry {
  return { pid: 200, userId: 7, startedAt: 6000, isZombie: false, environment: '', ...changes };
}
const child = (changes: Partial<Owner> = {}, own: Partial<ProcessEntry> = {}) =>
  entry({ environment: `A=b\0${formatMark({ ...owner, ...changes })}\0C=d\0`, ...own });
const found = (...entries: ProcessEntry[]) => leftovers(entries, self, 7).map(({ pid }) => pid);

describe('leftovers', () => {
  it('are those whose owner is gone', () => {
    expect(found(child(), entry({ pid: 201 }))).toEqual([200]);
  });

  it('are those whose owner is a zombie, or another process has its id by now', () => {
    expect(found(child(), entry({ pid: 100, startedAt: 5000, isZombie: true }))).toEqual([200]);
    expect(found(child(), entry({ pid: 100, startedAt: 5900 }))).toEqual([200]);
  });

  it.each([
    ['whose owner lives', [child(), entry({ pid: 100, startedAt: 5000, userId: 8 })]],
    ['whose owner may live, its start not being known', [child({ startedAt: 0 }), entry({ pid: 100 })]],
    ['of another user', [child({}, { userId: 8 })]],
    ['of another container', [child({ space: 4026532999 })]],
    ['that have ended', [child({}, { isZombie: true })]],
    ['with a broken mark', [entry({ environment: `MASKWATCH_OWNER=100:5000:4026531836:${ID.slice(1)}` })]],
  ])('are not those %s', (_, entries) => {
    expect(found(...entries)).toEqual([]);
  });

  it('are ours never', () => {
    expect(found(child({}, { pid: self.pid }))).toEqual([]);
  });

  it('whose id was given to another process in the meantime are let alone', async () => {
    const { space } = await ourselves();
    // If it were killed, this test would end here.
    const old = child({ space }, { pid: process.ppid, userId: process.getuid?.() ?? -1 });
    const table = { all: async () => [old], one: async () => ({ ...old, startedAt: old.startedAt + 1 }) };
    expect(await endLeftovers(table)).toBe(0);
  });
});

describe('the mark', () => {
  it('is read as it was written', () => {
    expect(readMark(`X=1\0${formatMark(owner)}\0Y=2`)).toEqual(owner);
    expect(readMark(`ffmpeg ${formatMark(owner)} -i x`)).toEqual(owner);
    expect(readMark(`${formatMark(owner)}f`)).toBeNull();
  });
});

describe('parsePs', () => {
  it('reads ids, start, state and the rest of the line', () => {
    const text = [
      '    1     0 Thu Nov 26 10:28:01 2026     Ss   /sbin/launchd',
      '12345   501 Thu Nov  5 09:08:07 2026     S+   ffmpeg MASKWATCH_OWNER=1:2:0:x -i a b HOME=/Users/a',
      '12346   501 Thu Nov  5 09:08:08 2026     Z    (ffmpeg)',
      'nonsense',
    ].join('\n');
    expect(parsePs(text)).toEqual([
      entry({
        ...{ pid: 1, userId: 0, startedAt: Date.UTC(2026, 10, 26, 10, 28, 1) / 1000 },
        environment: '/sbin/launchd',
      }),
      entry({
        ...{ pid: 12345, userId: 501, startedAt: Date.UTC(2026, 10, 5, 9, 8, 7) / 1000 },
        environment: 'ffmpeg MASKWATCH_OWNER=1:2:0:x -i a b HOME=/Users/a',
      }),
      entry({
        ...{ pid: 12346, userId: 501, startedAt: Date.UTC(2026, 10, 5, 9, 8, 8) / 1000 },
        ...{ isZombie: true, environment: '(ffmpeg)' },
      }),
    ]);
  });
});
