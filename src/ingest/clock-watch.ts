import { above, type Evidence, type Limits, type Moment, worst } from './condition-latch.js';

/** A quartz is some 50 ppm off, a bad one 200. */
const DRIFT_PPM: Limits = { on: 5000, off: 2000 };
/** So many leaps within this time, ms: one may be a time server's. */
const LEAPS = 3;
const LEAPS_WITHIN_MS = 300_000;

/** What is known of a camera's clock. */
export interface CameraClock {
  /**
   * How far it is ahead of ours as the picture arrives, ms; negative: behind; `null`: the stream does not say (it would be
   * the NTP time of RTCP sender reports, RFC 3550, 6.4.1). The way through the network is in it.
   */
  readonly skewMs: number | null;
  /** How much faster than ours it runs, parts per million; `null`: not known yet. */
  readonly driftPpm: number | null;
  /** Leaps of the stream's time so far. */
  readonly jumps: number;
}

/** Judges a camera's clock: wrong is one that is seconds off, that runs as no quartz does, or that leaps again and again. */
export class ClockWatch {
  readonly #skew: Limits;
  #knownJumps: number | null = null;
  #leapsMs: readonly number[] = [];

  /** `clockSkewMs`: it may be this far off. */
  constructor(options: { readonly clockSkewMs: number }) {
    this.#skew = { on: options.clockSkewMs, off: options.clockSkewMs / 2 };
  }

  add({ skewMs, driftPpm, jumps }: CameraClock, at: Moment): Evidence {
    for (let known = this.#knownJumps ?? jumps; known < jumps; known++)
      this.#leapsMs = [...this.#leapsMs, at.monotonicMs].slice(-LEAPS);
    this.#knownJumps = jumps;
    const [firstMs = 0] = this.#leapsMs;
    const isLeaping = this.#leapsMs.length === LEAPS && at.monotonicMs - firstMs <= LEAPS_WITHIN_MS;
    return worst(
      above(Math.abs(skewMs ?? 0), this.#skew),
      above(Math.abs(driftPpm ?? 0), DRIFT_PPM),
      isLeaping ? 'present' : 'absent',
    );
  }
}
