import type { FaceDetection } from '../domain/face.js';
import type { TrackUpdate } from '../domain/track.js';

export interface FaceTrackerOptions {
  /** Detections at or above this score may begin a track, in [0, 1]. */
  readonly highScore: number;
  /** Detections at or above this score may continue a track, in [0, 1]; what is below is ignored. */
  readonly lowScore: number;
  /** Frames in which a face must be seen before its track is confirmed. */
  readonly confirmHits: number;
  /** How long a confirmed track outlives its last detection, ms. */
  readonly maxLostMs: number;
}

/** Follows the faces of one camera from frame to frame. Holds state; no timers. */
export class FaceTracker {
  constructor(readonly options: FaceTrackerOptions) {}

  /** `detections` of one frame in pixels of the source frame; `monotonicMs` of that frame, rising. */
  update(_detections: readonly FaceDetection[], _monotonicMs: number): TrackUpdate {
    return { tracks: [], endedTrackIds: [] };
  }

  /** Ends every track (e.g. the camera's picture changed); returns the ids that ended. */
  reset(): readonly number[] {
    return [];
  }
}
