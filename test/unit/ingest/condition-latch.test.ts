import { describe, expect, it } from 'vitest';
import { ConditionLatch, type Evidence } from '../../../src/ingest/condition-latch.js';

/** Adds a picture every 200 ms from `fromMs`; returns the wall times at which the condition changed. */
function play(latch: ConditionLatch, evidence: Evidence, pictures: number, fromMs = 0): number[] {
  const changes: number[] = [];
  for (let index = 0; index < pictures; index++)
    if (latch.add(evidence, 200, fromMs + index * 200)) changes.push(fromMs + index * 200);
  return changes;
}

describe('a condition’s latch', () => {
  it('is on once the evidence has lasted, and tells since when it did', () => {
    const latch = new ConditionLatch({ enterMs: 1000, leaveMs: 2000 });
    expect(play(latch, 'present', 4, 5000)).toEqual([]);
    expect(latch.sinceMs).toBeNull();
    expect(play(latch, 'present', 10, 5800)).toEqual([5800]);
    expect(latch).toMatchObject({ isOn: true, sinceMs: 5000 });
  });

  it('goes off once the contrary has lasted as long as it takes, and begins anew after that', () => {
    const latch = new ConditionLatch({ enterMs: 1000, leaveMs: 2000 });
    play(latch, 'present', 20);
    expect(play(latch, 'absent', 9, 4000)).toEqual([]);
    expect(play(latch, 'absent', 3, 5800)).toEqual([5800]);
    expect(latch).toMatchObject({ isOn: false, sinceMs: null });
    play(latch, 'present', 5, 9000);
    expect(latch.sinceMs).toBe(9000);
  });

  it('is not moved by single odd pictures in either direction', () => {
    const latch = new ConditionLatch({ enterMs: 1000, leaveMs: 2000 });
    for (let at = 0; at < 20_000; at += 2000)
      expect([...play(latch, 'present', 2, at), ...play(latch, 'absent', 8, at + 400)]).toEqual([]);
    play(latch, 'present', 20, 30_000);
    for (let at = 40_000; at < 60_000; at += 1000)
      expect([...play(latch, 'absent', 2, at), ...play(latch, 'present', 3, at + 400)]).toEqual([]);
    expect(latch.isOn).toBe(true);
  });

  it('stays as it is while pictures tell neither', () => {
    const latch = new ConditionLatch({ enterMs: 1000, leaveMs: 1000 });
    play(latch, 'present', 3);
    expect(play(latch, 'unsure', 100, 600)).toEqual([]);
    expect(play(latch, 'present', 2, 20_600)).toEqual([20_800]);
    expect(play(latch, 'unsure', 100, 21_000)).toEqual([]);
    expect(latch.isOn).toBe(true);
  });
});
