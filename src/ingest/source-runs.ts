import { AppError } from '../lib/errors.js';
import type { AnalysisFormat } from './ffmpeg-arguments.js';
import { FrameRing } from './frame-ring.js';
import type { FrameSink, RunEnd } from './frame-source.js';
import { runStream, type StreamRunOptions } from './stream-run.js';

/** What both sources have in common: buffers that outlive a run, so that frame ids go on, and one run at a time. */
export class SourceRuns {
  readonly #cameraId: string;
  readonly #ring: FrameRing;
  #isRunning = false;

  constructor(options: {
    readonly cameraId: string;
    readonly analysis: AnalysisFormat;
    /** Frame buffers, at least 2. Default 4. */
    readonly slotCount?: number;
  }) {
    const { cameraId, analysis, slotCount } = options;
    this.#cameraId = cameraId;
    this.#ring = new FrameRing({
      cameraId,
      widthPx: analysis.widthPx,
      heightPx: analysis.heightPx,
      ...(slotCount === undefined ? {} : { slotCount }),
    });
  }

  /** @throws AppError `INGEST_ALREADY_RUNNING` when the last run has not settled. */
  async run(options: Omit<StreamRunOptions, 'ring'>, sink: FrameSink, signal: AbortSignal): Promise<RunEnd> {
    if (this.#isRunning)
      throw new AppError('INGEST_ALREADY_RUNNING', `${this.#cameraId} is being read already`);
    this.#isRunning = true;
    try {
      return await runStream({ ...options, ring: this.#ring }, sink, signal);
    } finally {
      this.#isRunning = false;
    }
  }
}
