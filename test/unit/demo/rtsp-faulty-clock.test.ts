import { describe, expect, it } from 'vitest';
import { FaultyClock } from '../../../src/demo/rtsp/faulty-clock.js';

const HOUR_TICKS = 3600 * 90_000;
const REPORT = { ntpSeconds: 3_900_000_000, ntpFraction: 2 ** 31, rtpTimestamp: 1000 };

describe('FaultyClock', () => {
  it('is right while nothing is wrong', () => {
    const clock = new FaultyClock();
    clock.begin({ kind: 'freeze' });
    expect(clock.timestamp(7)).toBe(7);
    expect(clock.report(REPORT)).toEqual(REPORT);
  });

  it('is set for good, stamps and reports alike, and sets add up', () => {
    const clock = new FaultyClock();
    clock.begin({ kind: 'time_jump', seconds: 3600 });
    clock.end();
    expect(clock.timestamp(7)).toBe(7 + HOUR_TICKS);
    expect(clock.report(REPORT)).toEqual({
      ntpSeconds: REPORT.ntpSeconds + 3600,
      ntpFraction: 2 ** 31,
      rtpTimestamp: 1000 + HOUR_TICKS,
    });
    clock.begin({ kind: 'time_jump', seconds: -7200.75 });
    expect(clock.timestamp(0)).toBe((HOUR_TICKS - 7200.75 * 90_000) >>> 0);
    expect(clock.report(REPORT)).toEqual({
      ntpSeconds: REPORT.ntpSeconds - 3601,
      ntpFraction: 2 ** 31 + 2 ** 30,
      rtpTimestamp: (1000 - 3600.75 * 90_000) >>> 0,
    });
  });

  it('stands, and goes on with the present', () => {
    const clock = new FaultyClock();
    clock.begin({ kind: 'time_still' });
    expect([10, 20, 30].map((right) => clock.advance(right))).toEqual([10, 10, 10]);
    expect(clock.report(REPORT)).toEqual(REPORT);
    expect(clock.report({ ...REPORT, ntpSeconds: 1 })).toEqual(REPORT);
    clock.end();
    expect(clock.advance(40)).toBe(40);
    clock.begin({ kind: 'time_still' });
    // Also for a picture that is older than the stop.
    expect(clock.timestamp(35)).toBe(40);
    expect(clock.report({ ...REPORT, ntpSeconds: 1 }).ntpSeconds).toBe(1);
  });
});
