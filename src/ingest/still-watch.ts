import type { PictureStatistics } from '../domain/picture.js';
import type { Moment } from './condition-latch.js';

/** Points that may differ, and by how much, in what counts as the same picture encoded again. */
const SAME_POINTS_SHARE = 0.002;
const SAME_POINT_STEP = 3;
/** Pictures remembered; at five a second those of some 50 seconds. */
const MAX_REMEMBERED = 256;
/** Share of a freeze's pictures that equal the one before them; encoders settle within a few pictures of a keyframe. */
const EQUAL_SHARE = 0.5;
/** A quiet time that ended by itself teaches; however long it was, a freeze is told after this, ms. */
const MAX_LIMIT_MS = 120_000;
/** A pause is called a freeze once it is longer than this many of the longest ones that ended by themselves. */
const LEARNT_FACTOR = 2.5;

/**
 * Tells for how long a stream has shown nothing new. A real sensor has noise, so two pictures of it are never equal;
 * but encoders skip what hardly changes, so within one group of pictures those of an empty room may well be. A
 * picture is new unless it equals, sample by sample, one that was seen since the picture stood still. A frozen
 * camera whose encoder runs on repeats its few pictures with each group; a live one brings new noise with each
 * keyframe. A clip in a loop repeats its pictures too, but no two that follow each other are equal, as most of a frozen
 * camera's are.
 *
 * Practice: ffmpeg's `freezedetect` holds a picture against the first one of the still time as well, by mean difference;
 * that is blind to noise and so takes an empty corridor for a freeze.
 *
 * How long a healthy stream pauses is learnt (one picture in ten seconds, long groups of pictures): see {@link limitMs}.
 */
export class StillWatch {
  readonly #leastLimitMs: number;
  readonly #remembered = new Set<number>();
  #anchor: Uint8Array | null = null;
  #newest: Moment | null = null;
  #longestPauseMs = 0;
  #lastHash: number | null = null;
  /** Since the newest picture. */
  #pictures = 0;
  #equalPictures = 0;

  constructor(options: { readonly limitMs: number }) {
    this.#leastLimitMs = options.limitMs;
  }

  /** Nothing new for this long is a freeze, ms. */
  get limitMs(): number {
    return Math.max(this.#leastLimitMs, Math.min(MAX_LIMIT_MS, LEARNT_FACTOR * this.#longestPauseMs));
  }

  /** @returns since when nothing new came (the moment of the newest picture), and whether that is a freeze. */
  add(picture: PictureStatistics, at: Moment): { readonly since: Moment; readonly isFrozen: boolean } {
    const since = this.#newest ?? at;
    const stillMs = at.monotonicMs - since.monotonicMs;
    this.#pictures++;
    if (picture.hash === this.#lastHash) this.#equalPictures++;
    this.#lastHash = picture.hash;
    const wasFrozen = stillMs >= this.limitMs && this.#equalPictures >= this.#pictures * EQUAL_SHARE;
    const isSimilar = this.#anchor !== null && isSame(this.#anchor, picture.points);
    // Rate control makes a frozen picture's groups differ by a hair: that ends no freeze once it is one.
    const isNew = !isSimilar || (!this.#remembered.has(picture.hash) && !wasFrozen);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.add(picture.hash);
    if (!isNew) return { since, isFrozen: wasFrozen };
    if (!wasFrozen && this.#newest) this.#learn(stillMs);
    if (!isSimilar) {
      this.#anchor = picture.points;
      this.#remembered.clear();
      this.#remembered.add(picture.hash);
    }
    this.#newest = at;
    this.#pictures = 0;
    this.#equalPictures = 0;
    return { since: at, isFrozen: false };
  }

  /** The stream was interrupted: no conclusion from before it. What was learnt stays. */
  reset(): void {
    this.#anchor = null;
    this.#newest = null;
    this.#lastHash = null;
    this.#remembered.clear();
  }

  /** Slowly forgotten, so that one odd pause does not make the watch slow for ever. */
  #learn(pauseMs: number): void {
    this.#longestPauseMs = Math.max(pauseMs, this.#longestPauseMs * 0.999);
  }
}

function isSame(before: Uint8Array, now: Uint8Array): boolean {
  const allowed = before.length * SAME_POINTS_SHARE;
  let different = 0;
  for (let i = 0; i < before.length; i++) {
    if (Math.abs(before[i]! - now[i]!) <= SAME_POINT_STEP) continue;
    if (++different > allowed) return false;
  }
  return true;
}
