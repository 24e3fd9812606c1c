import type { Box } from './box.js';
import type { FaceDetection } from './face.js';

/**
 * The same face followed within one camera; never an identity. `tentative` until it was seen often enough
 * to be believed, `confirmed` while it is seen, `lost` while it is hidden and may still come back.
 */
export type TrackState = 'tentative' | 'confirmed' | 'lost';

export interface FaceTrack {
  /** Unique within a camera and process; never used again. */
  readonly trackId: number;
  readonly state: TrackState;
  /** Where the face is now, in pixels of the source frame: the filter's estimate. */
  readonly box: Box;
  /** The detection of this frame, `null` while the face is not seen. */
  readonly detection: FaceDetection | null;
  /** Monotonic times, ms. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Frames in which it was detected. */
  readonly hits: number;
}

/** What one frame did to the tracks of a camera. */
export interface TrackUpdate {
  /** Every living track, seen in this frame or not, by rising `trackId`. */
  readonly tracks: readonly FaceTrack[];
  /** Tracks that ended with this frame (hidden for too long); they never come back under this id. */
  readonly endedTrackIds: readonly number[];
}
