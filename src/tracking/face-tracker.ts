import { boxCentre, type Point } from '../domain/box.js';
import type { FaceDetection } from '../domain/face.js';
import type { FaceTrack, TrackState, TrackUpdate } from '../domain/track.js';
import { type Association, associate, withoutDuplicates } from './association.js';
import { BoxFilter } from './kalman-filter.js';

export interface FaceTrackerOptions {
  /** Detections at or above this score may begin a track, in [0, 1]. */
  readonly highScore: number;
  /** Detections at or above this score may continue a track, in [0, 1]; what is below is ignored. */
  readonly lowScore: number;
  /** Frames in which a face must be seen before its track is confirmed. */
  readonly confirmHits: number;
  /** How long a confirmed track outlives its last detection, ms. */
  readonly maxLostMs: number;
  /**
   * How long a tentative track outlives its last detection, ms. Default 500: one dropped or missed frame at
   * five a second. (ByteTrack ends it at once, at thirty a second.)
   */
  readonly maxTentativeGapMs?: number;
}

/** A half-hidden face's box is about twice as inexact. */
const LOW_SCORE_NOISE_FACTOR = 2;
/**
 * The picture is of another scene (an edited film, a camera that turned to another preset) when so many faces
 * were in view, fewer than this share of them is found again, and others are there instead.
 */
const MIN_FACES_BEFORE_CUT = 4;
const MAX_SHARE_OVER_CUT = 0.25;
const MIN_FACES_AFTER_CUT = 2;
const MAX_CUT_GAP_SECONDS = 1;

/**
 * Follows the faces of one camera from frame to frame: Kalman filter and two-stage association as in
 * ByteTrack (Zhang et al. 2022), with a cost that survives large steps (association.ts). Frames may come at
 * any, also changing, rate. Holds state; no timers.
 */
export class FaceTracker {
  readonly #options: Required<FaceTrackerOptions>;
  #tracks: TrackedFace[] = [];
  #nextTrackId = 1;
  #lastMs: number | null = null;

  constructor(options: FaceTrackerOptions) {
    this.#options = { maxTentativeGapMs: 500, ...options };
  }

  /**
   * `detections` of one frame, in pixels of the source frame, in any order; boxes without area are ignored.
   * `monotonicMs` of that frame; a frame older than the one before it is taken to be as old.
   */
  update(detections: readonly FaceDetection[], monotonicMs: number): TrackUpdate {
    const nowMs = Math.max(monotonicMs, this.#lastMs ?? monotonicMs);
    const seconds = (nowMs - (this.#lastMs ?? nowMs)) / 1000;
    this.#lastMs = nowMs;
    // Ended before anything is associated: after a gap in the stream, old places say nothing.
    const endedTrackIds = this.#end((track) => nowMs - track.lastSeenMs > this.#maxGapMs(track));
    for (const track of this.#tracks) track.beginFrame(seconds);

    const { highScore, lowScore } = this.#options;
    const faces = withoutDuplicates(
      detections.filter(({ box, score }) => score >= lowScore && box.width > 0 && box.height > 0),
    );
    const high = faces.filter(({ score }) => score >= highScore);
    const low = faces.filter(({ score }) => score < highScore);
    let match = this.#match(high, low, nowMs);
    if (seconds <= MAX_CUT_GAP_SECONDS && isCut(match)) {
      endedTrackIds.push(...this.reset());
      match = this.#match(high, low, nowMs);
    }
    for (const [track, detection] of match.high) track.see(detection, nowMs, 1);
    for (const [track, detection] of match.low) track.see(detection, nowMs, LOW_SCORE_NOISE_FACTOR);
    for (const detection of match.newFaces)
      this.#tracks.push(new TrackedFace(this.#nextTrackId++, detection, nowMs));
    for (const track of this.#tracks) track.settle(this.#options.confirmHits);

    return { tracks: this.#tracks.map((track) => track.snapshot()), endedTrackIds };
  }

  /** Ends every track, e.g. after the camera's picture changed for another; returns their ids. */
  reset(): readonly number[] {
    return this.#end(() => true);
  }

  /** The two stages, and new tracks last: what is established comes before what may be a false alarm. */
  #match(high: readonly FaceDetection[], low: readonly FaceDetection[], nowMs: number): Match {
    const established = this.#tracks.filter(({ state }) => state !== 'tentative');
    const tentative = this.#tracks.filter(({ state }) => state === 'tentative');
    const first = associate(established, high, nowMs);
    const inView = first.freeTracks.filter(({ state }) => state === 'confirmed');
    const second = associate(inView, low, nowMs, { isLowScore: true });
    const third = associate(tentative, first.freeDetections, nowMs);
    return {
      high: [...first.pairs, ...third.pairs],
      low: second.pairs,
      newFaces: third.freeDetections,
      missed: second.freeTracks,
    };
  }

  #maxGapMs(track: TrackedFace): number {
    return track.state === 'tentative' ? this.#options.maxTentativeGapMs : this.#options.maxLostMs;
  }

  #end(isOver: (track: TrackedFace) => boolean): number[] {
    const ended = this.#tracks.filter(isOver).map(({ trackId }) => trackId);
    this.#tracks = this.#tracks.filter((track) => !ended.includes(track.trackId));
    return ended;
  }
}

interface Match {
  readonly high: Association<TrackedFace>['pairs'];
  readonly low: Association<TrackedFace>['pairs'];
  readonly newFaces: readonly FaceDetection[];
  /** Tracks that were in view in the frame before and are not found. */
  readonly missed: readonly TrackedFace[];
}

function isCut({ high, low, newFaces, missed }: Match): boolean {
  const found = [...high, ...low].filter(([{ state }]) => state === 'confirmed').length;
  const before = found + missed.length;
  return (
    before >= MIN_FACES_BEFORE_CUT &&
    found < before * MAX_SHARE_OVER_CUT &&
    newFaces.length >= MIN_FACES_AFTER_CUT
  );
}

class TrackedFace {
  readonly filter: BoxFilter;
  readonly firstSeenMs: number;
  state: TrackState = 'tentative';
  seenCentre: Point;
  lastSeenMs: number;
  hits = 1;
  #detection: FaceDetection | null;

  constructor(
    readonly trackId: number,
    detection: FaceDetection,
    nowMs: number,
  ) {
    this.filter = new BoxFilter(detection.box);
    this.seenCentre = boxCentre(detection.box);
    this.firstSeenMs = nowMs;
    this.lastSeenMs = nowMs;
    this.#detection = detection;
  }

  beginFrame(seconds: number): void {
    this.filter.predict(seconds);
    this.#detection = null;
  }

  see(detection: FaceDetection, nowMs: number, noiseFactor: number): void {
    this.filter.update(detection.box, noiseFactor);
    this.seenCentre = boxCentre(detection.box);
    this.lastSeenMs = nowMs;
    this.hits++;
    this.#detection = detection;
  }

  settle(confirmHits: number): void {
    if (this.#detection === null) {
      if (this.state === 'confirmed') this.state = 'lost';
    } else if (this.state === 'lost' || this.hits >= confirmHits) {
      this.state = 'confirmed';
    }
  }

  snapshot(): FaceTrack {
    return {
      trackId: this.trackId,
      state: this.state,
      box: this.filter.box,
      detection: this.#detection,
      firstSeenMs: this.firstSeenMs,
      lastSeenMs: this.lastSeenMs,
      hits: this.hits,
    };
  }
}
