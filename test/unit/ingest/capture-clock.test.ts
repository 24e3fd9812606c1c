import { describe, expect, it } from 'vitest';
import { CaptureClock } from '../../../src/ingest/capture-clock.js';

/** Plays pictures of one every 200 ms: each with the delay with which it arrives. @returns the ages. */
function play(
  clock: CaptureClock,
  delaysMs: readonly number[],
  options: { firstIndex?: number; streamFromMs?: number; arrivalFromMs?: number; stepMs?: number } = {},
): number[] {
  const { firstIndex = 0, streamFromMs = 0, arrivalFromMs = 1_000_000, stepMs = 200 } = options;
  return delaysMs.map((delayMs, i) => {
    clock.noteStreamTime(firstIndex + i, streamFromMs + i * stepMs);
    return clock.noteArrival(firstIndex + i, arrivalFromMs + i * 200 + delayMs);
  });
}

describe('CaptureClock', () => {
  it('takes the fastest pictures as the measure of the others', () => {
    const clock = new CaptureClock();
    expect(play(clock, [50, 20, 20, 70, 20, 30])).toEqual([0, 0, 0, 50, 0, 10]);
    expect(clock.timing().jitterMs).toBeGreaterThan(5);
    expect(clock.timing()).toMatchObject({ driftPpm: null, jumps: 0 });
  });

  it('sees how old the burst is with which a stream begins', () => {
    const clock = new CaptureClock();
    // A second of pictures at once, then the present.
    play(clock, [800, 600, 400, 200, 0, 0, 0]);
    expect(play(clock, [0, 120, 0], { firstIndex: 7, streamFromMs: 1400, arrivalFromMs: 1_001_400 })).toEqual(
      [0, 120, 0],
    );
  });

  it('pairs time stamps that come after their pictures', () => {
    const clock = new CaptureClock();
    expect(clock.noteArrival(0, 1000)).toBe(0);
    clock.noteStreamTime(0, 0);
    clock.noteStreamTime(1, 200);
    expect(clock.noteArrival(1, 1290)).toBe(90);
  });

  it('does not grow when the other half never comes', () => {
    const clock = new CaptureClock();
    for (let i = 0; i < 1000; i++) clock.noteArrival(i, i);
    clock.noteStreamTime(0, 0);
    clock.noteStreamTime(1000, 5000);
    expect(clock.noteArrival(1000, 9000)).toBe(0);
  });

  it('begins anew when the camera’s clock leaps, either way, and counts it', () => {
    const clock = new CaptureClock();
    play(clock, [0, 0, 0]);
    const ahead = { firstIndex: 3, streamFromMs: 3_600_000, arrivalFromMs: 1_000_600 };
    expect(play(clock, [0, 40, 0], ahead)).toEqual([0, 40, 0]);
    const back = { firstIndex: 6, streamFromMs: 100, arrivalFromMs: 1_001_200 };
    expect(play(clock, [0, 40, 0], back)).toEqual([0, 40, 0]);
    expect(clock.timing().jumps).toBe(2);
    // Leaps are no jitter.
    expect(clock.timing().jitterMs).toBeLessThan(20);
  });

  it('takes a pause with a burst behind it for delay, not for a leap', () => {
    const clock = new CaptureClock();
    // Nothing for three seconds, then all of it at once.
    const delays = [0, 0, ...Array.from({ length: 16 }, (_, i) => 3000 - i * 200), 0];
    expect(play(clock, delays)).toEqual(delays);
    expect(clock.timing().jumps).toBe(0);
  });

  it('follows a clock that runs fast, and says how fast', () => {
    const clock = new CaptureClock();
    // 300 ppm in ten minutes: 180 ms. The oldest minute is forgotten, so ages stay below what a minute makes.
    const ages = play(
      clock,
      Array.from({ length: 3000 }, () => 0),
      { stepMs: 200 * (1 - 300e-6) },
    );
    expect(Math.max(...ages)).toBeLessThan(60 * 0.3 + 4);
    expect(clock.timing().driftPpm).toBeCloseTo(-300, -1);
    clock.begin();
    expect(clock.timing()).toEqual({ jitterMs: 0, driftPpm: null, jumps: 0 });
  });
});
