import type { ActiveCondition, CameraStatus } from '../domain/camera.js';
import type { CameraSupervisor } from '../ingest/camera-supervisor.js';
import type { Clock } from '../lib/clock.js';
import { AppError } from '../lib/errors.js';
import type { CameraPipeline } from './camera-pipeline.js';

export interface CameraRuntimeOptions {
  readonly supervisor: Pick<CameraSupervisor, 'run' | 'status'>;
  readonly pipeline: Pick<CameraPipeline, 'run' | 'tick' | 'closeEpisodes'>;
  readonly clock: Clock;
  /** What is wrong with the picture now. Default: nobody looks. */
  readonly conditions?: () => readonly ActiveCondition[];
  /** Called once when ingest or analysis failed for a reason that is a fault of ours. */
  readonly onFailure: (error: unknown) => void;
}

const TICK_MS = 1000;
/** What the frame in hand may take once the camera is to stop; a run that hangs must not keep episodes open. */
const LAST_FRAME_MS = 3000;

/** One camera at work: its supervised stream and its pipeline, started and stopped together. */
export class CameraRuntime {
  readonly #options: CameraRuntimeOptions;
  readonly #ingest = new AbortController();
  readonly #analysis = new AbortController();
  #running: { ingest: Promise<void>; analysis: Promise<void>; ticks: Disposable } | null = null;

  constructor(options: CameraRuntimeOptions) {
    this.#options = options;
  }

  get status(): CameraStatus {
    const { supervisor, conditions } = this.#options;
    return { ...supervisor.status(), ...(conditions ? { conditions: conditions() } : {}) };
  }

  start(): void {
    const { supervisor, pipeline, clock, onFailure } = this.#options;
    this.#running ??= {
      ingest: supervisor.run(this.#ingest.signal).catch(onFailure),
      analysis: pipeline.run(this.#analysis.signal).catch(onFailure),
      ticks: clock.every(TICK_MS, () => pipeline.tick()),
    };
  }

  /** Ends the stream; resolves when no process of it is left. Frames in hand are still analysed. */
  async stopIngest(): Promise<void> {
    this.#ingest.abort();
    await this.#running?.ingest;
  }

  /**
   * Ends the stream, then the analysis, then closes what is open. A frame that is not through after three seconds
   * is given up. Idempotent.
   */
  async stop(): Promise<void> {
    await this.stopIngest();
    this.#analysis.abort();
    if (this.#running) await this.#within(LAST_FRAME_MS, this.#running.analysis);
    this.#running?.ticks[Symbol.dispose]();
    if (this.#running) this.#options.pipeline.closeEpisodes('shutdown');
    this.#running = null;
  }

  async #within(timeoutMs: number, work: Promise<void>): Promise<void> {
    const isDone = new AbortController();
    const timeUp = this.#options.clock.sleep(timeoutMs, isDone.signal).then(
      () => this.#options.onFailure(new AppError('CLOSE_TIMED_OUT', 'the frame in hand is given up')),
      () => {}, // It was through in time.
    );
    await Promise.race([work, timeUp]);
    isDone.abort();
  }
}
