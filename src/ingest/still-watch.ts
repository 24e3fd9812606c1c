import type { PictureStatistics } from '../domain/picture.js';
import type { Moment } from './condition-latch.js';

/**
 * Mean difference of single pixels, in levels, up to which a picture is the one before encoded again, and from which it is
 * another. Measured (docs/picture-health.md): a frozen picture is equal to itself, or if it is encoded anew mostly within
 * 0.2 once its encoder has settled; a scene in which nothing moves and whose sensor is as quiet as one level of noise is 0.31 from itself.
 */
const SAME_UP_TO = 0.25;
const OTHER_FROM = 0.3;
/** Pixels at the ends of the scale show no noise and tell nothing; with fewer others than this share nothing is said. */
const MIN_TELLING_SHARE = 0.1;
/** A pause is called a freeze once it is longer than this many of the longest ones that ended by themselves. */
const LEARNT_FACTOR = 2.5;
/** However long pauses are, a freeze is told after this, ms. */
const MAX_LIMIT_MS = 120_000;

/**
 * Tells for how long a stream has shown nothing new. A real sensor has noise, so that no two pictures of it are equal,
 * however still the scene; but encoders skip what hardly changes, so that within one group of pictures those of an
 * empty room may be. Each keyframe brings the noise of its moment.
 *
 * Practice: ffmpeg's `freezedetect` holds pictures against the first one of the still time by mean difference as well, with
 * a limit (0.1 % of the range) above the noise of cameras, which takes an empty corridor for a freeze.
 *
 * How long a healthy stream pauses (one picture in ten seconds, long groups of pictures) is learnt: see {@link limitMs}.
 */
export class StillWatch {
  readonly #leastLimitMs: number;
  #anchor: Uint8Array | null = null;
  #since: Moment | null = null;
  #longestPauseMs = 0;

  constructor(options: { readonly limitMs: number }) {
    this.#leastLimitMs = options.limitMs;
  }

  /** Nothing new for this long is a freeze, ms. */
  get limitMs(): number {
    return Math.max(this.#leastLimitMs, Math.min(MAX_LIMIT_MS, LEARNT_FACTOR * this.#longestPauseMs));
  }

  /** @returns since when nothing new came (the moment of the newest picture), and whether that is a freeze. */
  add({ points }: PictureStatistics, at: Moment): { readonly since: Moment; readonly isFrozen: boolean } {
    const since = this.#since ?? at;
    const stillMs = at.monotonicMs - since.monotonicMs;
    const isFrozen = stillMs >= this.limitMs;
    const difference = this.#anchor ? differenceOf(this.#anchor, points) : null;
    if (difference !== null && difference <= (isFrozen ? OTHER_FROM : SAME_UP_TO)) return { since, isFrozen };
    // Slowly forgotten, so that one odd pause does not make the watch slow for ever.
    if (!isFrozen) this.#longestPauseMs = Math.max(stillMs, this.#longestPauseMs * 0.999);
    this.#anchor = points;
    this.#since = at;
    return { since: at, isFrozen: false };
  }

  /** The stream was interrupted: no conclusion from before it. What was learnt stays. */
  reset(): void {
    this.#anchor = null;
    this.#since = null;
  }
}

/** Mean difference of the pixels that tell something; `null`: there are too few. */
function differenceOf(before: Uint8Array, now: Uint8Array): number | null {
  let telling = 0;
  let sum = 0;
  for (let i = 0; i < before.length; i++) {
    const a = before[i]!;
    const b = now[i]!;
    if ((a === 0 && b === 0) || (a === 255 && b === 255)) continue;
    telling++;
    sum += Math.abs(a - b);
  }
  return telling < before.length * MIN_TELLING_SHARE ? null : sum / telling;
}
