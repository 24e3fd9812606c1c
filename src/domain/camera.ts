/**
 * States of a camera's ingest:
 * `connecting` → `live` → `stalled` → `backing_off` → `connecting` … ; `disabled` by configuration or for good. From
 * `live` and `connecting` a run that ends by itself leads to `backing_off` at once; a stalled run is ended, it never
 * becomes live again.
 */
export const CAMERA_STATES = ['connecting', 'live', 'stalled', 'backing_off', 'disabled'] as const;
export type CameraState = (typeof CAMERA_STATES)[number];

/** Why a camera left `live` or did not reach it. A bounded set: it labels metrics. */
export const CAMERA_REASONS = [
  'started',
  'first_frame',
  'no_frames',
  'connect_timeout',
  'process_exited',
  'refused',
  'unauthorized',
  'not_found',
  'unreachable',
  'invalid_data',
  'spawn_failed',
  'end_of_file',
  'configuration',
  'stopped',
] as const;
export type CameraReason = (typeof CAMERA_REASONS)[number];

/**
 * What can be wrong with the picture of a camera that is live. A bounded set: it labels metrics. Several may hold at once.
 * See docs/picture-health.md.
 */
export const CAMERA_CONDITIONS = [
  'frozen',
  'black',
  'overexposed',
  'covered',
  'corrupted',
  'out_of_focus',
  'moved',
  'wrong_clock',
] as const;
export type CameraCondition = (typeof CAMERA_CONDITIONS)[number];

/** Conditions in which nothing can be said of faces: what such a camera does not see is not compliance. */
export const BLINDING_CONDITIONS: ReadonlySet<CameraCondition> = new Set([
  'frozen',
  'black',
  'overexposed',
  'covered',
  'corrupted',
]);

export interface ActiveCondition {
  readonly condition: CameraCondition;
  /** Wall clock at which it began (it is told some seconds later), ms since 1970. */
  readonly sinceMs: number;
}

/** What is known of a stream that is being watched. */
export interface StreamFacts {
  readonly codec: string;
  /** Of the camera's picture, pixels. */
  readonly width: number;
  readonly height: number;
  /** As the stream says; `null` where it does not. */
  readonly rateFps: number | null;
  /** How it is received, RTSP only. */
  readonly transport?: 'tcp' | 'udp' | 'http';
  /**
   * Whose time pictures bear, RTSP only: the stream's, or that of their arrival, where the stream's stands still or showed
   * no picture in time.
   */
  readonly timestamps?: 'stream' | 'arrival';
  /** What decodes it; `none` is the CPU. */
  readonly decoding?: string;
  /** Why it is decoded on the CPU although something else was asked for. */
  readonly fallback?: string;
}

/** What the times of a stream tell of it. */
export interface StreamTiming {
  /** How unevenly pictures arrive, ms: RFC 3550, 6.4.1, over analysed pictures. */
  readonly jitterMs: number;
  /** How much faster the camera's clock runs than ours, parts per million; `null` until two minutes have passed. */
  readonly driftPpm: number | null;
  /** Leaps of the stream's time against ours, over all runs. */
  readonly jumps: number;
}

export interface CameraStatus {
  readonly cameraId: string;
  readonly state: CameraState;
  readonly reason: CameraReason;
  /** Plain words for people, without credentials; from ffmpeg's own message where there is one. */
  readonly message?: string;
  /** Wall clock of the last change of state, ms since 1970. */
  readonly sinceMs: number;
  /** Monotonic age of the newest decoded frame, ms; `null` before the first. */
  readonly lastFrameAgeMs: number | null;
  /** Process starts since the camera was configured, the first not counted. */
  readonly restarts: number;
  /** Of the present or the last run; left out before the first picture. */
  readonly stream?: StreamFacts;
  readonly timing?: StreamTiming;
  /** What is wrong with the picture now; left out where nobody looks. In the order of {@link CAMERA_CONDITIONS}. */
  readonly conditions?: readonly ActiveCondition[];
}
