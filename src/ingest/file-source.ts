import { resolve } from 'node:path';
import type { Clock } from '../lib/clock.js';
import type { AnalysisFormat } from './ffmpeg-arguments.js';
import type { FfmpegBinary } from './ffmpeg-binary.js';
import type { FrameSink, FrameSource, RunEnd } from './frame-source.js';
import type { IngestLog } from './ingest-log.js';
import { SourceRuns } from './source-runs.js';

export interface FileSourceOptions {
  readonly cameraId: string;
  /** Path of a video file. */
  readonly path: string;
  readonly analysis: AnalysisFormat;
  readonly binary: FfmpegBinary;
  readonly clock: Clock;
  /**
   * `as-consumed` (default): as fast as frames are released, none is dropped, and the frames' times are the
   * file's own. `realtime`: at the file's pace, stamped and dropped like a camera's.
   */
  readonly pace?: 'as-consumed' | 'realtime';
  /** Again from the start, for ever. Default false. */
  readonly loop?: boolean;
  /** Default 2000. */
  readonly killAfterMs?: number;
  /** Default 4. */
  readonly slotCount?: number;
  readonly onSpawn?: (pid: number) => void;
  readonly log?: IngestLog;
}

/**
 * A recorded file. With `as-consumed` exactly `rateFps` frames stand for each second of the file, and the n-th
 * frame (from 0) has `monotonicMs` = n · 1000 / rateFps, counted from the file's first picture, and
 * `capturedAtMs` as much after the start of the run: so everything that measures time along the path sees the
 * file's time and not the speed of the machine.
 */
export class FileSource implements FrameSource {
  readonly #options: FileSourceOptions;
  readonly #runs: SourceRuns;

  constructor(options: FileSourceOptions) {
    this.#options = options;
    this.#runs = new SourceRuns(options);
  }

  /** Rejects with `AppError` `INGEST_ALREADY_RUNNING` when the last run has not settled. */
  run(sink: FrameSink, signal: AbortSignal): Promise<RunEnd> {
    const { path, analysis, loop, clock, binary, killAfterMs = 2000, onSpawn, log } = this.#options;
    const pace = this.#options.pace ?? 'as-consumed';
    const startedAtMs = clock.wallMs();
    const periodMs = 1000 / analysis.rateFps;
    return this.#runs.run(
      {
        stream: { url: `file:${resolve(path)}`, analysis, loop, pace, timeoutMs: 0 },
        binary,
        clock,
        killAfterMs,
        whenFull: pace === 'realtime' ? 'drop' : 'wait',
        stamp:
          pace === 'realtime'
            ? () => ({ capturedAtMs: clock.wallMs(), monotonicMs: clock.monotonicMs() })
            : (index) => ({ capturedAtMs: startedAtMs + index * periodMs, monotonicMs: index * periodMs }),
        onSpawn,
        log,
      },
      sink,
      signal,
    );
  }
}
