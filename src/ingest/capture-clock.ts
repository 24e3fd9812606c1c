import type { StreamTiming } from '../domain/camera.js';

/** The least transit time is looked for in windows of this length, the newest so many of them. */
const WINDOW_MS = 10_000;
const WINDOWS = 6;
/** Windows are kept this long for the drift, and must span at least so much. */
const DRIFT_WINDOWS = 60;
const MIN_DRIFT_SPAN_MS = 120_000;
/** A step of the stream's time that differs by more from that of arrival, forwards, or goes back by so much, is a leap. */
const MAX_STEP_AHEAD_MS = 2000;
const MAX_STEP_BACK_MS = 500;
/** Beyond this an age is no delay any more but a mistake of ours. */
const MAX_AGE_MS = 5000;
/** Pictures whose other half (time stamp or arrival) has not come yet. */
const MAX_UNPAIRED = 64;

interface Window {
  readonly beganMs: number;
  leastTransitMs: number;
}

/**
 * Tells how old a picture was when it arrived. ffmpeg hands on no sender report's time, so the camera's clock is
 * known only up to an offset; the pictures that came fastest show it: the least difference of arrival and stream time
 * within the last minute counts as no delay (the minimum filter of NTP, RFC 5905, 10). What is left is jitter of
 * network and decoder, and the age of the burst with which a stream begins.
 *
 * All times are monotonic, so that a wall clock that is set changes nothing here; a leap of the stream's own time
 * begins a new offset and is counted.
 */
export class CaptureClock {
  #windows: Window[] = [];
  #history: Window[] = [];
  #last: { streamMs: number; arrivalMs: number } | null = null;
  #jitterMs = 0;
  #jumps = 0;
  readonly #arrivals = new Map<number, number>();
  readonly #streamTimes = new Map<number, number>();

  /** A new run: the stream's time begins anew, and its pictures at 0. */
  begin(): void {
    this.#windows = [];
    this.#history = [];
    this.#last = null;
    this.#jitterMs = 0;
    this.#arrivals.clear();
    this.#streamTimes.clear();
  }

  /** The stream's own time of its n-th picture, which may be told before or after its arrival. */
  noteStreamTime(index: number, streamMs: number): void {
    const arrivalMs = this.#arrivals.get(index);
    if (arrivalMs === undefined) keep(this.#streamTimes, index, streamMs);
    else {
      this.#arrivals.delete(index);
      this.#note(streamMs, arrivalMs);
    }
  }

  /** The n-th picture is here. @returns its age, ms; 0 while nothing better is known. */
  noteArrival(index: number, arrivalMs: number): number {
    const streamMs = this.#streamTimes.get(index);
    if (streamMs === undefined) {
      keep(this.#arrivals, index, arrivalMs);
      return 0;
    }
    this.#streamTimes.delete(index);
    return this.#note(streamMs, arrivalMs);
  }

  timing(): StreamTiming {
    return { jitterMs: this.#jitterMs, driftPpm: this.#driftPpm(), jumps: this.#jumps };
  }

  #note(streamMs: number, arrivalMs: number): number {
    const transitMs = arrivalMs - streamMs;
    if (this.#last) {
      const stepMs = streamMs - this.#last.streamMs;
      const aheadMs = stepMs - (arrivalMs - this.#last.arrivalMs);
      if (aheadMs > MAX_STEP_AHEAD_MS || stepMs < -MAX_STEP_BACK_MS) {
        this.#jumps += 1;
        this.#windows = [];
        this.#history = [];
      } else this.#jitterMs += (Math.abs(aheadMs) - this.#jitterMs) / 16;
    }
    this.#last = { streamMs, arrivalMs };
    const current = this.#windows.at(-1);
    if (!current || arrivalMs - current.beganMs >= WINDOW_MS) {
      if (current) {
        this.#history.push(current);
        if (this.#history.length > DRIFT_WINDOWS) this.#history.shift();
      }
      this.#windows.push({ beganMs: arrivalMs, leastTransitMs: transitMs });
      if (this.#windows.length > WINDOWS) this.#windows.shift();
    } else current.leastTransitMs = Math.min(current.leastTransitMs, transitMs);
    const leastMs = Math.min(...this.#windows.map(({ leastTransitMs }) => leastTransitMs));
    return Math.min(transitMs - leastMs, MAX_AGE_MS);
  }

  /** Slope of the least transit times, by the first and the last third of the windows. */
  #driftPpm(): number | null {
    const third = Math.floor(this.#history.length / 3);
    const [early, late] = [this.#history.slice(0, third), this.#history.slice(-third)];
    const [first, last] = [early[0], late.at(-1)];
    if (!first || !last || last.beganMs - first.beganMs < MIN_DRIFT_SPAN_MS) return null;
    const [from, to] = [least(early), least(late)];
    // The stream's clock is fast when its pictures seem to arrive ever earlier.
    return (-1e6 * (to.leastTransitMs - from.leastTransitMs)) / (to.beganMs - from.beganMs);
  }
}

function least(windows: readonly Window[]): Window {
  return windows.reduce((best, window) => (window.leastTransitMs < best.leastTransitMs ? window : best));
}

function keep(map: Map<number, number>, index: number, value: number): void {
  map.set(index, value);
  if (map.size > MAX_UNPAIRED) map.delete(map.keys().next().value as number);
}
