import type { Box } from '../domain/box.js';
import type {
  CameraCondition,
  CameraReason,
  CameraState,
  StreamFacts,
  StreamTiming,
} from '../domain/camera.js';
import type { EpisodeChangeKind, EpisodeCloseReason, ViolationLabel } from '../domain/episode.js';
import type { MaskScores, NotAssessableReason, Outcome } from '../domain/label.js';
import type { ErrorShape } from '../lib/errors.js';

/** Version of every payload on the wire. */
export const PAYLOAD_VERSION = 1;

export interface FacePayload {
  trackId: number;
  box: Box;
  detectionScore: number;
  outcome: Outcome;
  reason?: NotAssessableReason;
  scores: MaskScores;
  decision?: { outcome: Outcome; reason?: NotAssessableReason; scores: MaskScores; evidenceCount: number };
}

/** Faces of one analysed frame. Volatile: the newest counts, an old one is never sent late. */
export interface DetectionsPayload {
  v: 1;
  cameraId: string;
  frameId: number;
  /** ISO 8601, UTC. */
  capturedAt: string;
  /** Size of the source frame: the space of the boxes. */
  width: number;
  height: number;
  faces: FacePayload[];
}

/** The picture that `detections` with the same `frameId` belongs to (only for those who asked). Volatile. */
export interface PicturePayload {
  v: 1;
  cameraId: string;
  frameId: number;
  capturedAt: string;
  /** JPEG; it shows the whole source frame, usually smaller. */
  jpeg: Uint8Array;
}

export interface EpisodePayload {
  v: 1;
  /**
   * Counts up by one over all cameras and restarts; what `episodes:since` counts in. 0 while the change could
   * not be stored yet (`isProvisional`): such a change is told again with its real number once it is stored,
   * so it must not move a client's position backwards (`position = Math.max(position, sequence)`).
   */
  sequence: number;
  /** Present and true only while the store refuses to take the change. */
  isProvisional?: true;
  id: string;
  version: number;
  change: EpisodeChangeKind;
  cameraId: string;
  trackId: number;
  label: ViolationLabel;
  openedAt: string;
  closedAt?: string;
  closeReason?: EpisodeCloseReason;
  score: number;
  zone?: string;
  verdict?: 'acknowledged' | 'rejected';
  by?: string;
  reason?: string;
}

export interface CameraPayload {
  v: 1;
  cameraId: string;
  name: string;
  state: CameraState;
  reason?: CameraReason;
  message?: string;
  since: string;
  lastFrameAgeMs: number | null;
  restarts: number;
  /** Of the stream as it is now, or was last; left out before the first picture. */
  stream?: StreamFacts;
  /** Jitter, ms; drift of the camera's clock, parts per million; its leaps. */
  timing?: StreamTiming;
  /** What is wrong with the picture of a live camera, and since when; empty: nothing, or nobody looks. */
  conditions: { condition: CameraCondition; since: string }[];
  /** Present and true while pictures come on which nobody can be judged: silence is not compliance. */
  isBlind?: true;
}

export interface StatsPayload {
  v: 1;
  at: string;
  cameras: Record<CameraState, number>;
  /** Over the last second. */
  analysedFps: number;
  droppedFps: number;
  perCamera: Record<
    string,
    { analysedFps: number; droppedFps: number; faces: number; dueFps: number; openEpisodes: number }
  >;
  /** Frame leaving ffmpeg to publication, over the last seconds; null while nothing was published. */
  latencyMs: { p50: number; p95: number } | null;
  openEpisodes: number;
  /** True while due frames are being shed. */
  isDegraded: boolean;
  engine: string;
}

export interface ErrorReply {
  ok: false;
  /** `REQUEST_INVALID`, `RATE_LIMITED`, `CAMERA_NOT_FOUND`, `EPISODE_NOT_FOUND`, `EPISODE_VERSION_CONFLICT`, … */
  error: Pick<ErrorShape, 'code' | 'message'>;
  /** With `EPISODE_VERSION_CONFLICT`: the episode as it is now, to decide again. */
  current?: EpisodePayload;
}
export type Reply<T extends object> = ({ ok: true } & T) | ErrorReply;
export type Acknowledge<T extends object> = (reply: Reply<T>) => void;

export interface ServerToClientEvents {
  detections: (payload: DetectionsPayload) => void;
  picture: (payload: PicturePayload) => void;
  episode: (payload: EpisodePayload) => void;
  camera: (payload: CameraPayload) => void;
  /** A camera was taken out of the configuration. */
  'camera:removed': (payload: { v: 1; cameraId: string }) => void;
  stats: (payload: StatsPayload) => void;
}

export interface SubscribeRequest {
  cameras: string[] | 'all';
  /** Also send `picture` for each analysed frame. Default false. */
  pictures?: boolean;
}

export interface ClientToServerEvents {
  subscribe: (
    request: SubscribeRequest,
    /**
     * `cameras` are those subscribed to with this request, as they are now; `sequence` is the newest stored one:
     * a client that has seen less asks `episodes:since`. Newest known detections follow as events.
     */
    acknowledge: Acknowledge<{ cameras: CameraPayload[]; sequence: number }>,
  ) => void;
  unsubscribe: (
    request: { cameras: string[] | 'all' },
    acknowledge: Acknowledge<{ cameras: string[] }>,
  ) => void;
  'episodes:since': (
    request: { sequence: number; limit?: number },
    acknowledge: Acknowledge<{ episodes: EpisodePayload[]; sequence: number; hasMore: boolean }>,
  ) => void;
  'episode:acknowledge': (
    request: { id: string; version: number },
    acknowledge: Acknowledge<{ episode: EpisodePayload }>,
  ) => void;
  'episode:reject': (
    request: { id: string; version: number; reason: string },
    acknowledge: Acknowledge<{ episode: EpisodePayload }>,
  ) => void;
}
