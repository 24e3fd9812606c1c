import {
  type ActiveCondition,
  BLINDING_CONDITIONS,
  CAMERA_CONDITIONS,
  type CameraCondition,
} from '../domain/camera.js';
import type { PictureStatistics } from '../domain/picture.js';
import { type CameraClock, ClockWatch } from './clock-watch.js';
import { above, ConditionLatch, type Evidence, type Limits, type Moment, worst } from './condition-latch.js';
import { SceneWatch } from './scene-watch.js';
import { StillWatch } from './still-watch.js';

export interface PictureHealthOptions {
  /** Nothing new for this long is `frozen`, ms. Longer where the stream has longer pauses. */
  readonly frozenMs: number;
  /** Until `black`, `overexposed` or `covered` is told, ms. */
  readonly blindMs: number;
  /** Until `out_of_focus` or `moved` is told, ms. */
  readonly sceneMs: number;
  /** A scene to which the camera was moved is its usual one after this long, ms. */
  readonly acceptMs: number;
  /** The camera's clock may be this far off, ms. */
  readonly clockSkewMs: number;
  /** Time from one analysed picture to the next, ms. */
  readonly periodMs: number;
  /** A scene that has been the same for this long is the camera's usual one, ms. Default 20 000. */
  readonly learnMs?: number;
  /** Never told. Default none. */
  readonly ignored?: readonly CameraCondition[];
}

/** A condition that began or ended. */
export interface ConditionChange {
  readonly condition: CameraCondition;
  readonly isOn: boolean;
  /** Wall clock at which it began, ms since 1970. */
  readonly sinceMs: number;
}

/** 99 of 100 pixels are darker. A dark street with one lamp in sight is brighter; noise of a capped lens is not. */
const BLACK_HIGH_LUMA: Limits = { on: 26, off: 36 };
const CLIPPED_SHARE: Limits = { on: 0.7, off: 0.5 };
/** Share of the picture that no decoder was given. */
const GREEN_SHARE: Limits = { on: 0.06, off: 0.01 };
/** Beyond what the scene usually has. */
const GREY_SHARE: Limits = { on: 0.2, off: 0.05 };
const SMEAR_SHARE: Limits = { on: 0.35, off: 0.2 };
const CAST_SHARE: Limits = { on: 0.7, off: 0.5 };
/** Share of a picture that a decoder made up; less spoils a face or two, not the watch. */
const DAMAGED_SHARE = 0.1;
/** What is made up is carried on from picture to picture until the next keyframe, ms. */
const DAMAGE_LASTS_MS = 1000;
/** Whoever joins a stream lacks what went before: decoders complain until the second keyframe, ms. */
const JOIN_MS = 10_000;

const LEAVE_MS = 2000;
const CORRUPTED_MS = { enterMs: 1500, leaveMs: 10_000 };
const CLOCK_MS = { enterMs: 5000, leaveMs: 5000 };
/** One picture stands for no more than this, or for two periods and a half: nobody looked in between. */
const MAX_ELAPSED_MS = 1000;

/**
 * Whether the pictures of one camera are worth judging, from the {@link PictureStatistics} of each analysed frame. Each
 * condition has limits for coming and for going, and durations for both. Holds state; no clocks, no timers, no pixels.
 *
 * Methods: `black`, `overexposed`: percentile and clipped share of the luma histogram, common practice (ffmpeg's
 * `blackdetect` counts dark pixels likewise). `frozen`: {@link StillWatch}. `covered`, `out_of_focus`, `moved`:
 * against what the camera usually sees, {@link SceneWatch}. `corrupted`: what decoders leave behind where data was
 * lost. `wrong_clock`: {@link ClockWatch}.
 */
export class PictureHealth {
  readonly #options: PictureHealthOptions;
  readonly #latches: Readonly<Record<CameraCondition, ConditionLatch>>;
  readonly #still: StillWatch;
  readonly #scene: SceneWatch;
  #lastMs: number | null = null;
  #lastClockMs: number | null = null;
  readonly #clock: ClockWatch;
  #damagedMs = Number.NEGATIVE_INFINITY;
  #firstMs: number | null = null;

  constructor(options: PictureHealthOptions) {
    this.#options = options;
    const latch = (enterMs: number, leaveMs = LEAVE_MS) => new ConditionLatch({ enterMs, leaveMs });
    this.#latches = {
      // How long it lasted before is counted by the watch.
      frozen: latch(1, Math.min(LEAVE_MS, 2.5 * options.periodMs)),
      black: latch(options.blindMs),
      overexposed: latch(options.blindMs),
      covered: latch(options.blindMs),
      corrupted: new ConditionLatch(CORRUPTED_MS),
      out_of_focus: latch(options.sceneMs, options.sceneMs),
      moved: latch(options.sceneMs, options.sceneMs),
      wrong_clock: new ConditionLatch(CLOCK_MS),
    };
    this.#clock = new ClockWatch({ clockSkewMs: options.clockSkewMs });
    this.#still = new StillWatch({ limitMs: options.frozenMs });
    this.#scene = new SceneWatch({ learnMs: options.learnMs ?? 20_000 });
  }

  /** What is wrong now, in the order of {@link CAMERA_CONDITIONS}. */
  get conditions(): readonly ActiveCondition[] {
    return CAMERA_CONDITIONS.flatMap((condition) => {
      const { sinceMs } = this.#latches[condition];
      return sinceMs === null ? [] : [{ condition, sinceMs }];
    });
  }

  /** Whether faces cannot be judged now. */
  get isBlind(): boolean {
    return CAMERA_CONDITIONS.some(
      (condition) => BLINDING_CONDITIONS.has(condition) && this.#latches[condition].isOn,
    );
  }

  /** Takes one picture; in the order of their times. @returns what began or ended with it. */
  observe(picture: PictureStatistics, at: Moment): readonly ConditionChange[] {
    const elapsedMs = this.#elapsed(at.monotonicMs);
    const black = above(BLACK_HIGH_LUMA.on - picture.highLuma, {
      on: 0,
      off: BLACK_HIGH_LUMA.on - BLACK_HIGH_LUMA.off,
    });
    const overexposed = above(picture.clippedShare, CLIPPED_SHARE);
    const corrupted = this.#corruption(picture, at.monotonicMs);
    const still = this.#still.add(picture, at);
    const isUnfit = [black, overexposed, corrupted].includes('present');
    const scene = this.#scene.add(picture, elapsedMs, { isUnfit, isStill: still.isFrozen });
    const changes: ConditionChange[] = [];
    const tell = (condition: CameraCondition, evidence: Evidence, wallMs = at.wallMs) => {
      if (this.#options.ignored?.includes(condition)) return;
      const latch = this.#latches[condition];
      const before = latch.sinceMs;
      if (!latch.add(evidence, elapsedMs, wallMs)) return;
      changes.push({ condition, isOn: latch.isOn, sinceMs: latch.sinceMs ?? before ?? wallMs });
    };
    // Equal pictures of nothing are no news: black or corrupted says it all.
    const isFrozen = still.isFrozen && black !== 'present' && corrupted !== 'present';
    tell('frozen', isFrozen ? 'present' : 'absent', still.since.wallMs);
    tell('black', black);
    tell('overexposed', overexposed);
    tell('corrupted', corrupted);
    tell('covered', scene.covered);
    tell('out_of_focus', scene.outOfFocus);
    tell('moved', scene.moved);
    if (this.#latches.moved.isOn && scene.newSceneMs >= this.#options.acceptMs) {
      this.#scene.acceptNewScene();
      changes.push(...this.#end('moved'));
    }
    return changes;
  }

  /** Takes what is known of the camera's clock, at about each picture; see {@link ClockWatch}. */
  observeClock(clock: CameraClock, at: Moment): readonly ConditionChange[] {
    const elapsedMs = Math.min(at.monotonicMs - (this.#lastClockMs ?? at.monotonicMs), CLOCK_MS.enterMs);
    this.#lastClockMs = at.monotonicMs;
    if (this.#options.ignored?.includes('wrong_clock')) return [];
    const latch = this.#latches.wrong_clock;
    const before = latch.sinceMs;
    if (!latch.add(this.#clock.add(clock, at), elapsedMs, at.wallMs)) return [];
    return [{ condition: 'wrong_clock', isOn: latch.isOn, sinceMs: latch.sinceMs ?? before ?? at.wallMs }];
  }

  /** Takes that the decoder had to make up `share` (0–1) of a picture, whose data was lost or broken. */
  damaged(share: number, monotonicMs: number): void {
    if (share >= DAMAGED_SHARE) this.#damagedMs = monotonicMs;
  }

  /** The stream ended: nothing is known of the picture now. What the camera usually sees stays known. */
  interrupt(): readonly ConditionChange[] {
    this.#lastMs = null;
    this.#firstMs = null;
    this.#lastClockMs = null;
    this.#still.reset();
    return CAMERA_CONDITIONS.flatMap((condition) => this.#end(condition));
  }

  #end(condition: CameraCondition): readonly ConditionChange[] {
    const latch = this.#latches[condition];
    const { sinceMs } = latch;
    latch.clear();
    return sinceMs === null ? [] : [{ condition, isOn: false, sinceMs }];
  }

  #elapsed(monotonicMs: number): number {
    const elapsedMs = monotonicMs - (this.#lastMs ?? monotonicMs);
    this.#lastMs = monotonicMs;
    this.#firstMs ??= monotonicMs;
    return Math.min(Math.max(0, elapsedMs), Math.max(MAX_ELAPSED_MS, 2.5 * this.#options.periodMs));
  }

  #corruption(
    { greenShare, greyShare, castShare, smearShare }: PictureStatistics,
    monotonicMs: number,
  ): Evidence {
    const usual = this.#scene.usual;
    const isDamaged =
      monotonicMs - this.#damagedMs < DAMAGE_LASTS_MS && monotonicMs - (this.#firstMs ?? 0) >= JOIN_MS;
    return worst(
      isDamaged ? 'present' : 'absent',
      above(greenShare, GREEN_SHARE),
      usual ? above(greyShare - usual.greyShare, GREY_SHARE) : 'absent',
      usual ? above(castShare - usual.castShare, CAST_SHARE) : 'absent',
      usual ? above(smearShare - usual.smearShare, SMEAR_SHARE) : 'absent',
    );
  }
}
