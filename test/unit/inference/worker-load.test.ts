import { describe, expect, it } from 'vitest';
import { WorkerLoad } from '../../../src/inference/worker-load.js';

function setUp(workers: number) {
  let nowMs = 0;
  const load = new WorkerLoad(workers, () => nowMs);
  return {
    load,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('WorkerLoad', () => {
  it('is 0 at the start and while nothing is done', () => {
    const { load, advance } = setUp(2);
    advance(60_000);
    expect(load.utilization).toBe(0);
  });

  it('approaches the share of busy workers, and 1 at the most', () => {
    const { load, advance } = setUp(4);
    load.set(1);
    advance(100_000);
    expect(load.utilization).toBeCloseTo(0.25, 3);
    load.set(40);
    advance(100_000);
    expect(load.utilization).toBeCloseTo(1, 3);
  });

  it('averages over short tasks', () => {
    const { load, advance } = setUp(1);
    for (let i = 0; i < 10_000; i++) {
      load.set(1);
      advance(3);
      load.set(0);
      advance(7);
    }
    expect(load.utilization).toBeCloseTo(0.3, 2);
  });

  it('does not change by being read', () => {
    const { load, advance } = setUp(1);
    load.set(1);
    advance(5000);
    const once = load.utilization;
    expect(once).toBeCloseTo(1 - Math.exp(-0.5), 6);
    expect(load.utilization).toBe(once);
  });
});
