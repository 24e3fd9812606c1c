import { CAMERA_STATES, type CameraState } from '../domain/camera.js';
import type { Clock } from '../lib/clock.js';
import { percentile } from '../lib/percentile.js';
import { tenth } from '../lib/rounding.js';
import type { StatsPayload } from './events.js';

/** Latencies kept for the percentiles of the last seconds; bounded, the oldest go first. */
const MAX_LATENCIES = 1024;
const LATENCY_WINDOW_MS = 10_000;
/**
 * Shedding more than the first share of the frames, averaged over some five seconds, is an overload and is told
 * as such, until less than the second is shed: one late frame is no overload.
 */
const DEGRADED_ABOVE = 0.05;
const RECOVERED_BELOW = 0.02;
const SMOOTHING = 0.2;

interface CameraCounts {
  dueFps: number;
  analysed: number;
  dropped: number;
  faces: number;
}

/** Counts what happens between two `stats` events. */
export class LiveStats {
  readonly #clock: Clock;
  readonly #cameras = new Map<string, CameraCounts>();
  #latencies: { atMs: number; latencyMs: number }[] = [];
  #lastMs: number;
  #droppedShare = 0;
  #isDegraded = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastMs = clock.monotonicMs();
  }

  get isDegraded(): boolean {
    return this.#isDegraded;
  }

  /** `dueFps`: analysed frames per second that the configuration asks for. */
  addCamera(cameraId: string, dueFps: number): void {
    this.#cameras.set(cameraId, { dueFps, analysed: 0, dropped: 0, faces: 0 });
  }

  removeCamera(cameraId: string): void {
    this.#cameras.delete(cameraId);
  }

  analysed(cameraId: string, faces: number, latencyMs: number): void {
    const counts = this.#cameras.get(cameraId);
    if (!counts) return;
    counts.analysed += 1;
    counts.faces = faces;
    this.#latencies.push({ atMs: this.#clock.monotonicMs(), latencyMs });
    if (this.#latencies.length > MAX_LATENCIES) this.#latencies.shift();
  }

  dropped(cameraId: string): void {
    const counts = this.#cameras.get(cameraId);
    if (counts) counts.dropped += 1;
  }

  /** The figures since the last call, which begin anew. */
  take(now: {
    /** Of every configured camera. */
    readonly states: ReadonlyMap<string, CameraState>;
    /** By camera; one without open episodes may be missing. */
    readonly openEpisodes: ReadonlyMap<string, number>;
    readonly engine: string;
  }): StatsPayload {
    const nowMs = this.#clock.monotonicMs();
    const seconds = Math.max(0.001, (nowMs - this.#lastMs) / 1000);
    this.#lastMs = nowMs;
    const perCamera: StatsPayload['perCamera'] = {};
    let analysed = 0;
    let dropped = 0;
    for (const [cameraId, counts] of this.#cameras) {
      analysed += counts.analysed;
      dropped += counts.dropped;
      perCamera[cameraId] = {
        analysedFps: tenth(counts.analysed / seconds),
        droppedFps: tenth(counts.dropped / seconds),
        // What was seen last says nothing about a camera that sees nothing now.
        faces: now.states.get(cameraId) === 'live' ? counts.faces : 0,
        dueFps: counts.dueFps,
        openEpisodes: now.openEpisodes.get(cameraId) ?? 0,
      };
      counts.analysed = 0;
      counts.dropped = 0;
    }
    const share = analysed + dropped === 0 ? 0 : dropped / (analysed + dropped);
    this.#droppedShare += SMOOTHING * (share - this.#droppedShare);
    this.#isDegraded = this.#droppedShare > (this.#isDegraded ? RECOVERED_BELOW : DEGRADED_ABOVE);
    return {
      v: 1,
      at: new Date(this.#clock.wallMs()).toISOString(),
      cameras: countStates(now.states.values()),
      analysedFps: tenth(analysed / seconds),
      droppedFps: tenth(dropped / seconds),
      perCamera,
      latencyMs: this.#latencyOfWindow(nowMs),
      openEpisodes: [...now.openEpisodes.values()].reduce((sum, count) => sum + count, 0),
      isDegraded: this.#isDegraded,
      engine: now.engine,
    };
  }

  #latencyOfWindow(nowMs: number): StatsPayload['latencyMs'] {
    this.#latencies = this.#latencies.filter((entry) => nowMs - entry.atMs <= LATENCY_WINDOW_MS);
    const latencies = this.#latencies.map((entry) => entry.latencyMs);
    const at = (share: number) => tenth(percentile(latencies, share) ?? 0);
    return latencies.length === 0 ? null : { p50: at(0.5), p95: at(0.95) };
  }
}

/** How many cameras are in each state. */
export function countStates(states: Iterable<CameraState>): Record<CameraState, number> {
  const counts = Object.fromEntries(CAMERA_STATES.map((state) => [state, 0])) as Record<CameraState, number>;
  for (const state of states) counts[state] += 1;
  return counts;
}
