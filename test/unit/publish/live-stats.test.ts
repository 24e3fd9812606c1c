import { describe, expect, it } from 'vitest';
import type { CameraState } from '../../../src/domain/camera.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { LiveStats } from '../../../src/publish/live-stats.js';

const now = {
  states: new Map<string, CameraState>([
    ['a', 'live'],
    ['b', 'live'],
    ['c', 'stalled'],
  ]),
  openEpisodes: new Map([
    ['a', 1],
    ['c', 1],
  ]),
  engine: 'x',
};

describe('LiveStats', () => {
  it('tells rates over the time since the last call, per camera and in all, and begins anew', () => {
    const clock = new ManualClock();
    const stats = new LiveStats(clock);
    stats.addCamera('a', 5);
    stats.addCamera('b', 5);
    for (let i = 0; i < 10; i++) stats.analysed('a', 2, 20);
    stats.dropped('b');
    clock.advance(2000);
    const told = stats.take(now);
    expect(told).toMatchObject({ analysedFps: 5, droppedFps: 0.5, openEpisodes: 2 });
    expect(told.cameras).toEqual({ connecting: 0, live: 2, stalled: 1, backing_off: 0, disabled: 0 });
    expect(told.perCamera.a).toEqual({
      ...{ analysedFps: 5, droppedFps: 0, faces: 2, dueFps: 5, openEpisodes: 1 },
    });
    clock.advance(1000);
    expect(stats.take(now)).toMatchObject({ analysedFps: 0, droppedFps: 0 });
  });

  it('shows no faces of a camera that is not live', () => {
    const stats = new LiveStats(new ManualClock());
    stats.addCamera('a', 5);
    stats.addCamera('c', 5);
    stats.analysed('a', 2, 20);
    stats.analysed('c', 2, 20);
    expect(stats.take(now).perCamera).toMatchObject({ a: { faces: 2 }, c: { faces: 0 } });
  });

  it('takes latencies of the last ten seconds only', () => {
    const clock = new ManualClock();
    const stats = new LiveStats(clock);
    stats.addCamera('a', 5);
    stats.analysed('a', 0, 900);
    clock.advance(8000);
    for (let i = 1; i <= 19; i++) stats.analysed('a', 0, i);
    expect(stats.take(now).latencyMs).toEqual({ p50: 10, p95: 19 });
    clock.advance(5000);
    expect(stats.take(now).latencyMs).toEqual({ p50: 10, p95: 19 });
    clock.advance(60_000);
    expect(stats.take(now).latencyMs).toBeNull();
  });

  it('calls itself degraded for lasting drops, not for a single one, and recovers', () => {
    const clock = new ManualClock();
    const stats = new LiveStats(clock);
    stats.addCamera('a', 5);
    const second = (analysed: number, dropped: number) => {
      for (let i = 0; i < analysed; i++) stats.analysed('a', 0, 1);
      for (let i = 0; i < dropped; i++) stats.dropped('a');
      clock.advance(1000);
      return stats.take(now).isDegraded;
    };
    expect(second(4, 1)).toBe(false);
    for (let i = 0; i < 30; i++) second(5, 0);
    for (let i = 0; i < 5; i++) second(3, 2);
    expect(stats.isDegraded).toBe(true);
    for (let i = 0; i < 30; i++) second(5, 0);
    expect(stats.isDegraded).toBe(false);
  });

  it('ignores a camera that is gone', () => {
    const stats = new LiveStats(new ManualClock());
    stats.addCamera('a', 5);
    stats.removeCamera('a');
    stats.analysed('a', 1, 1);
    stats.dropped('a');
    expect(stats.take(now).perCamera).toEqual({});
  });
});
