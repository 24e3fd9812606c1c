import type { EpisodeChange } from '../domain/episode.js';
import type { CropAssessment, FaceVerdict, MaskPrediction } from '../domain/face.js';
import type { TrackUpdate } from '../domain/track.js';
import type { EvidenceOptions } from './evidence.js';
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
  /** A decision stands this long while the face cannot be judged, ms. Default 5 000. */
  readonly staleAfterMs?: number;
  readonly evidence?: EvidenceOptions;
  /** Crops below it speak against a face (see face-evidence.ts), in [0, 1]; 0 = never. Default 0.5. */
  readonly minFaceScore?: number;
}

/** One moment on both clocks: monotonic for every duration and order, wall for people and schedules. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export interface DecisionInput extends Moment {
  readonly tracks: TrackUpdate;
  /** Of the faces seen in this frame, by track id. */
  readonly assessments: ReadonlyMap<number, CropAssessment>;
  /** Of this frame or of earlier ones; those of tracks that ended are ignored. */
  readonly predictions: readonly MaskPrediction[];
  /** Size of the source frame, pixels. */
  readonly frameWidth: number;
  readonly frameHeight: number;
}

export interface DecisionResult {
  /** One for each track seen in this frame that shows a face, by track id. */
  readonly verdicts: ReadonlyMap<number, FaceVerdict>;
  /** In the order in which they happened. */
  readonly changes: readonly EpisodeChange[];
  /** Tracks that turned out with this frame to show no face. */
  readonly rejectedCount: number;
}
