import type { CameraReason, StreamFacts, StreamTiming } from '../domain/camera.js';
import type { Frame } from '../domain/frame.js';

/** Where a source puts what it decodes. Called synchronously, in order, never after `run` has settled. */
export interface FrameSink {
  /** The receiver owns one hold of the frame and must release it. */
  frame(frame: Frame): void;
  /** A decoded picture that never became a frame, e.g. because every buffer was in use. */
  dropped(reason: FrameDropReason): void;
  /** What is known of the stream, told before the first frame and again when it changes. */
  streamInfo?(info: StreamInfo): void;
  /** `share` (0–1) of a picture had to be made up: its data was lost or broken. Comes about when that picture does. */
  damaged?(share: number): void;
}

/** Why a due frame was not analysed. A bounded set: it labels metrics. */
export const FRAME_DROP_REASONS = [
  /** A newer frame of the same camera came before this one was begun. */
  'stale',
  /** Every buffer of the camera's ring was still held. */
  'no_buffer',
  /** Inference failed on it. */
  'failed',
  /** The camera or service was closing. */
  'closing',
] as const;
export type FrameDropReason = (typeof FRAME_DROP_REASONS)[number];

/** What a source knows of its stream. */
export type StreamInfo = StreamFacts;

/** How one run of a source ended. Never thrown: every end of a live stream is an expected outcome. */
export interface RunEnd {
  readonly reason: CameraReason;
  /** Plain words, without credentials. */
  readonly message: string;
  /** False when trying again cannot help before somebody changes something (e.g. a wrong password). */
  readonly retryable: boolean;
}

/** How a run ends that somebody stops. */
export const STOPPED: RunEnd = { reason: 'stopped', message: 'Stopped on request', retryable: true };

/**
 * One stream of frames. Knows one run at a time; when and how often to run again is the supervisor's.
 * Two adapters: a live stream through ffmpeg, and a recorded file (paced, or as fast as it is consumed).
 */
export interface FrameSource {
  /**
   * Says why a run cannot succeed now, as far as that can be told without one; `null`: go on. Starts no process,
   * never rejects.
   */
  check?(signal: AbortSignal): Promise<RunEnd | null>;
  /** What the times of the present run, or of the last one, tell; live streams only. */
  timing?(): StreamTiming;
  /**
   * Runs until the stream ends or `signal` aborts, and resolves only when nothing of the run is left (no
   * process, no open pipe). A run that is given up because nothing comes is aborted with its {@link RunEnd}
   * as the reason.
   */
  run(sink: FrameSink, signal: AbortSignal): Promise<RunEnd>;
}
