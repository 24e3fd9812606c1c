import { describe, expect, it } from 'vitest';
import { pictureHealthLimits, stallLimitMs } from '../../src/assemble-limits.js';
import { configSchema } from '../../src/config/schema.js';

const { pictureHealth, stallTimeoutSeconds } = configSchema.parse({}).ingest;

describe('limits in time', () => {
  it('wait longer where only keyframes come, which lie up to ten seconds apart', () => {
    const every = { rateFps: 5, keyframesOnly: false };
    const keyframes = { rateFps: 5, keyframesOnly: true };
    expect(pictureHealthLimits(pictureHealth, every).frozenMs).toBe(pictureHealth.frozenSeconds * 1000);
    expect(pictureHealthLimits(pictureHealth, keyframes).frozenMs).toBeGreaterThan(2 * 10_000);
    expect(stallLimitMs(5, { stallTimeoutSeconds, keyframesOnly: true })).toBeGreaterThan(2 * 10_000);
  });

  it('wait for two periods of analysis at least', () => {
    expect(stallLimitMs(0.1, { stallTimeoutSeconds, keyframesOnly: false })).toBeGreaterThan(2 * 10_000);
    expect(pictureHealthLimits(pictureHealth, { rateFps: 0.1, keyframesOnly: false }).periodMs).toBe(10_000);
  });
});
