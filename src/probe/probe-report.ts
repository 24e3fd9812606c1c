import type { CameraCondition, CameraReason } from '../domain/camera.js';
import type { NotAssessableReason } from '../domain/label.js';
import type { Spread } from './face-readings.js';
import type { PlacementParts } from './placement.js';

/** What `maskwatch probe --json` prints of one address (CONTRACTS.md). Fields that are not known are `null`. */
export interface ProbeReport {
  readonly ok: boolean;
  /** Of the configuration; left out for an address from the command line. */
  readonly cameraId?: string;
  /** Without user and password, also in path and query. */
  readonly url: string;
  /** As ffmpeg calls it: `h264`, `hevc`, `mjpeg`, … */
  readonly codec: string | null;
  /** Of the camera's picture, pixels. */
  readonly width: number | null;
  readonly height: number | null;
  /** Pictures per second that really came; as the stream says where they could not be counted. */
  readonly rateFps: number | null;
  /** As the stream says. */
  readonly declaredRateFps: number | null;
  readonly bitrateKbps: number | null;
  readonly keyframeIntervalMs: number | null;
  /** How unevenly pictures arrived (RFC 3550, 6.4.1); `null` for files. */
  readonly jitterMs: number | null;
  /** Over which pictures came: RTSP's `tcp`, `udp` or `http`; `http`, `file` or `device` for other addresses. */
  readonly transport: string | null;
  /** From the start of ffmpeg, with this transport, to the first decoded picture. */
  readonly firstFrameMs: number | null;
  /** For how long pictures were looked at, and how many. */
  readonly watchedMs: number;
  readonly frames: { readonly analysed: number; readonly dropped: number; readonly damaged: number };
  /** Size of the camera's picture as it was analysed. */
  readonly analysed: { readonly width: number; readonly height: number } | null;
  readonly faces: {
    /** Different faces. */
    readonly count: number;
    readonly sightings: number;
    /** Pixels of the camera's picture. */
    readonly widthPx: SpreadOrNull;
    /** Shorter side, pixels of the analysed picture. */
    readonly analysedPx: SpreadOrNull;
    readonly assessableShare: number | null;
    readonly notAssessable: Readonly<Partial<Record<NotAssessableReason, number>>>;
  };
  /** Luminance, 0…255: mean and standard deviation of the whole picture, and of faces. */
  readonly light: {
    readonly pictureLuma: number | null;
    readonly pictureSpread: number | null;
    readonly faceLuma: number | null;
    readonly faceSpread: number | null;
  };
  /** Degrees, estimated: turn to a side (0…90), and from above (positive) or below. */
  readonly angle: { readonly yawDegrees: number | null; readonly pitchDegrees: number | null };
  /** Variance of the Laplacian of faces. */
  readonly sharpness: number | null;
  readonly placement: {
    /** 0…100; `null` where nobody was seen. */
    readonly score: number | null;
    /** What makes it up, each 0…1 (docs/probe.md). */
    readonly parts: PlacementParts | null;
    readonly advice: readonly string[];
  };
  /** What is wrong with the picture (docs/picture-health.md). */
  readonly conditions: readonly CameraCondition[];
  readonly warnings: readonly string[];
  /** Ways that were tried before. */
  readonly attempts: readonly { readonly transport: string | null; readonly reason: CameraReason }[];
  readonly error?: ProbeError;
}

export interface ProbeError {
  readonly code: string;
  readonly reason: CameraReason;
  readonly message: string;
  readonly hint: string;
}

type SpreadOrNull = Spread | { readonly min: null; readonly median: null; readonly max: null };
