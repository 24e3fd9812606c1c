import {
  DecisionMaker,
  type DecisionMakerOptions,
  type DecisionResult,
} from '../../../src/decision/decision-maker.js';
import { createEpisodeIdGenerator } from '../../../src/decision/episode-id.js';
import type { MaskPolicy } from '../../../src/decision/policy.js';
import type { EpisodeChange } from '../../../src/domain/episode.js';
import type { CropAssessment } from '../../../src/domain/face.js';
import type { MaskScores } from '../../../src/domain/label.js';
import type { FaceTrack } from '../../../src/domain/track.js';
import { faceAt } from '../tracking/make-face.js';

export const MASKED: MaskScores = { with_mask: 0.97, without_mask: 0.02, mask_worn_incorrectly: 0.01 };
export const BARE: MaskScores = { with_mask: 0.02, without_mask: 0.96, mask_worn_incorrectly: 0.02 };
export const INCORRECT: MaskScores = { with_mask: 0.02, without_mask: 0.03, mask_worn_incorrectly: 0.95 };

export const POLICY: MaskPolicy = {
  labels: ['without_mask', 'mask_worn_incorrectly'],
  openThreshold: 0.8,
  closeThreshold: 0.4,
  minDurationMs: 1000,
  graceMs: 2000,
  zones: [],
  schedule: [],
  timeZone: 'UTC',
};

export const FRAME = { width: 1280, height: 720 };
export const PERIOD_MS = 200;
/** A Monday, 08:00 UTC. */
export const WALL_START_MS = Date.UTC(2026, 0, 5, 8);

export interface Person {
  readonly id: number;
  /** Centre of the face, pixels. */
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  /** What the classifier says in this frame; without it the face is not classified. */
  readonly scores?: MaskScores;
  /** Whether it takes the crop for a face. Default 1. */
  readonly faceScore?: number;
  /** The tracker still has the track, the face is not found. */
  readonly isHidden?: boolean;
  readonly isAssessable?: boolean;
}

/** Plays frames of one camera to a decision maker: five a second unless told otherwise. */
export class CameraScript {
  readonly maker: DecisionMaker;
  readonly changes: EpisodeChange[] = [];
  /** Monotonic times at which they were told. */
  readonly changeTimesMs: number[] = [];
  monotonicMs = 5_000;
  wallMs = WALL_START_MS;
  readonly #tracks = new Map<number, FaceTrack>();

  constructor(options: Partial<DecisionMakerOptions> & { policy?: MaskPolicy } = {}) {
    this.maker = new DecisionMaker({
      cameraId: 'door',
      policy: POLICY,
      newEpisodeId: createEpisodeIdGenerator(),
      ...options,
    });
  }

  /** One frame with these people, and nobody else: whoever was there before has ended. */
  frame(people: readonly Person[], elapsedMs = PERIOD_MS): DecisionResult {
    this.wait(elapsedMs);
    const tracks = people.map((person) => this.#track(person));
    const ids = new Set(people.map(({ id }) => id));
    const endedTrackIds = [...this.#tracks.keys()].filter((id) => !ids.has(id));
    for (const id of endedTrackIds) this.#tracks.delete(id);
    const seen = people.filter(({ isHidden }) => !isHidden);
    const result = this.maker.update({
      tracks: { tracks, endedTrackIds },
      assessments: new Map<number, CropAssessment>(
        seen.map(({ id, isAssessable = true }) => [
          id,
          isAssessable
            ? { assessable: true, quality: 0.8 }
            : { assessable: false, quality: 0.2, reason: 'blurred' },
        ]),
      ),
      predictions: seen.flatMap(({ id, scores, faceScore = 1 }) =>
        scores ? [{ trackId: id, scores, faceScore, monotonicMs: this.monotonicMs, quality: 0.8 }] : [],
      ),
      frameWidth: FRAME.width,
      frameHeight: FRAME.height,
      monotonicMs: this.monotonicMs,
      wallMs: this.wallMs,
    });
    this.#note(result.changes);
    return result;
  }

  /** The same frame for so long. */
  play(people: readonly Person[], durationMs: number): void {
    for (let ms = 0; ms < durationMs; ms += PERIOD_MS) this.frame(people);
  }

  /** Time passes without a frame. */
  wait(durationMs: number): void {
    this.monotonicMs += durationMs;
    this.wallMs += durationMs;
  }

  tick(): readonly EpisodeChange[] {
    const changes = this.maker.tick(this);
    this.#note(changes);
    return changes;
  }

  /** What happened so far, e.g. `opened 1`, `closed left 1`: change, reason, track. */
  get story(): string[] {
    return this.changes.map(({ change, episode }) =>
      [change, ...(episode.closeReason ? [episode.closeReason] : []), episode.trackId].join(' '),
    );
  }

  #note(changes: readonly EpisodeChange[]): void {
    for (const change of changes) {
      this.changes.push(change);
      this.changeTimesMs.push(this.monotonicMs);
    }
  }

  #track({ id, x = 640, y = 360, width = 60, isHidden = false }: Person): FaceTrack {
    const before = this.#tracks.get(id);
    const detection = isHidden ? null : faceAt(x, y, width);
    const track: FaceTrack = {
      trackId: id,
      state: isHidden ? 'lost' : 'confirmed',
      box: detection?.box ?? before?.box ?? faceAt(x, y, width).box,
      detection,
      firstSeenMs: before?.firstSeenMs ?? this.monotonicMs,
      lastSeenMs: isHidden ? (before?.lastSeenMs ?? this.monotonicMs) : this.monotonicMs,
      hits: (before?.hits ?? 0) + (isHidden ? 0 : 1),
    };
    this.#tracks.set(id, track);
    return track;
  }
}
