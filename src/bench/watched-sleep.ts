import type { Clock } from '../lib/clock.js';

const TICK_MS = 1000;

/**
 * A sleep of a clock that tells every second how much of it is over, in seconds; its end is not moved by that.
 * Rejects with the signal's reason when it aborts.
 */
export function watchedSleep(
  clock: Clock,
  signal: AbortSignal,
  onProgress: (doneSeconds: number, totalSeconds: number) => void,
): (ms: number) => Promise<void> {
  return async (ms) => {
    const startMs = clock.monotonicMs();
    const ticks = clock.every(TICK_MS, () => onProgress((clock.monotonicMs() - startMs) / 1000, ms / 1000));
    try {
      await clock.sleep(ms, signal);
    } finally {
      ticks[Symbol.dispose]();
    }
  };
}
