import type { EpisodeChange, EpisodeCloseReason } from '../domain/episode.js';
import type { CropAssessment, Decision, FaceVerdict, MaskPrediction } from '../domain/face.js';
import type { TrackUpdate } from '../domain/track.js';
import type { MaskPolicy } from './policy.js';

export interface DecisionMakerOptions {
  readonly cameraId: string;
  readonly policy: MaskPolicy;
  /** See episode-id.ts; one generator per process. */
  readonly newEpisodeId: (wallMs: number) => string;
  /** No frame for this long: open episodes close as `camera_lost`, ms. Default 10 000. */
  readonly cameraLostMs?: number;
  /** Least time between two `updated` changes of an episode, ms. Default 5 000. */
  readonly updateIntervalMs?: number;
}

export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export interface DecisionInput extends Moment {
  readonly tracks: TrackUpdate;
  /** Of the faces seen in this frame, by track id. */
  readonly assessments: ReadonlyMap<number, CropAssessment>;
  /** Of this frame or of earlier ones; those of ended tracks are ignored. */
  readonly predictions: readonly MaskPrediction[];
  /** Size of the source frame, pixels. */
  readonly frameWidth: number;
  readonly frameHeight: number;
}

export interface DecisionResult {
  /** One for each track seen in this frame, by track id. */
  readonly verdicts: ReadonlyMap<number, FaceVerdict>;
  /** In the order in which they happened. */
  readonly changes: readonly EpisodeChange[];
}

/** Turns the scores of one camera into decisions and episodes. Holds state; no timers. */
export class DecisionMaker {
  constructor(readonly options: DecisionMakerOptions) {}

  /** The present decision of each living track that has any evidence. */
  get decisions(): ReadonlyMap<number, Decision> {
    return new Map();
  }

  get openEpisodeCount(): number {
    return 0;
  }

  update(_input: DecisionInput): DecisionResult {
    return { verdicts: new Map(), changes: [] };
  }

  /** What time alone changes (schedule, camera lost). Call it about once a second, frames or not. */
  tick(_moment: Moment): readonly EpisodeChange[] {
    return [];
  }

  /** Closes every open episode and forgets all tracks. */
  closeAll(_reason: EpisodeCloseReason, _moment: Moment): readonly EpisodeChange[] {
    return [];
  }

  /** Takes effect with the next `update` or `tick`. */
  setPolicy(_policy: MaskPolicy): void {}
}
