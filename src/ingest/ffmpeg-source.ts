import type { Clock } from '../lib/clock.js';
import type { StreamOptions } from './ffmpeg-arguments.js';
import type { FfmpegBinary } from './ffmpeg-binary.js';
import type { FrameSink, FrameSource, RunEnd } from './frame-source.js';
import type { IngestLog } from './ingest-log.js';
import { SourceRuns } from './source-runs.js';

export interface FfmpegSourceOptions extends Omit<StreamOptions, 'pace' | 'timeoutMs'> {
  readonly cameraId: string;
  readonly binary: FfmpegBinary;
  readonly clock: Clock;
  /** Time that ffmpeg gets to end by itself before it is killed, ms. Default 2000. */
  readonly killAfterMs?: number;
  /** ffmpeg's own network time-out, ms. Default 5000; the supervisor's watchdog is what counts. */
  readonly timeoutMs?: number;
  /** Frame buffers, at least 2. Default 4. */
  readonly slotCount?: number;
  /** Called with the process id of every ffmpeg started. */
  readonly onSpawn?: (pid: number) => void;
  readonly log?: IngestLog;
}

/**
 * A live stream through ffmpeg: RTSP, MJPEG or HLS over HTTP, or a file played at its own pace as if it were
 * a camera. One run is one process. Live video is never buffered: the pipe is always drained, and a frame
 * that finds every buffer held is dropped as `no_buffer`.
 */
export class FfmpegSource implements FrameSource {
  readonly #options: FfmpegSourceOptions;
  readonly #runs: SourceRuns;

  constructor(options: FfmpegSourceOptions) {
    this.#options = options;
    this.#runs = new SourceRuns(options);
  }

  /** Rejects with `AppError` `INGEST_ALREADY_RUNNING` when the last run has not settled. */
  run(sink: FrameSink, signal: AbortSignal): Promise<RunEnd> {
    const { clock, binary, killAfterMs = 2000, timeoutMs = 5000, onSpawn, log, ...stream } = this.#options;
    return this.#runs.run(
      {
        stream: { ...stream, timeoutMs, pace: 'realtime' },
        binary,
        clock,
        killAfterMs,
        whenFull: 'drop',
        stamp: () => ({ capturedAtMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }),
        onSpawn,
        log,
      },
      sink,
      signal,
    );
  }
}
