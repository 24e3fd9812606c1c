import { describe, expect, it } from 'vitest';
import { fullJitterMs, slowRetryMs } from '../../../src/ingest/backoff.js';

const limits = { minMs: 500, maxMs: 30_000 };
const ALMOST_ONE = 1 - Number.EPSILON;

describe('fullJitterMs', () => {
  it('doubles its ceiling with every failure, up to the cap', () => {
    const ceilings = Array.from({ length: 9 }, (_, failures) =>
      Math.round(fullJitterMs(limits, failures, ALMOST_ONE)),
    );
    expect(ceilings).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(fullJitterMs(limits, 10_000, ALMOST_ONE)).toBeLessThanOrEqual(30_000);
  });

  it('is spread evenly from zero', () => {
    expect(fullJitterMs(limits, 3, 0)).toBe(0);
    expect(fullJitterMs(limits, 3, 0.25)).toBe(1000);
  });
});

describe('slowRetryMs', () => {
  it('stays in the upper half below the cap', () => {
    expect(slowRetryMs(limits, 0)).toBe(15_000);
    expect(slowRetryMs(limits, ALMOST_ONE)).toBeLessThanOrEqual(30_000);
  });
});
