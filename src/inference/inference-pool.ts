import type {
  ClassifyResult,
  CrashTask,
  CropRequest,
  DetectResult,
  DetectTask,
  EngineInfo,
  InferenceResult,
  InferenceTask,
  TaskFailure,
  WarmUpResult,
  WorkerOptions,
} from '../../workers/protocol.js';
import type { PixelBuffer } from '../domain/frame.js';
import { AppError, messageOf } from '../lib/errors.js';
import { PoolState } from './pool-state.js';
import { WorkerLoad } from './worker-load.js';
import { WorkerThreads } from './worker-threads.js';

/** The part of a logger that the pool uses. */
export interface PoolLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface InferencePoolOptions {
  /** Threads; each holds an engine and both models. 1 or more. */
  readonly workers: number;
  readonly workerOptions: WorkerOptions;
  /** Tasks that may wait when every thread is busy; one more is refused with POOL_OVERLOADED. */
  readonly maxQueue: number;
  readonly log?: PoolLog;
  /** Batch sizes timed at the start. Default 1, 2, 4, 8. */
  readonly measureBatchSizes?: readonly number[];
  /** How long `close()` lets waiting tasks still be served before they fail with POOL_CLOSED, ms. Default 5000. */
  readonly closeTimeoutMs?: number;
  /** Lets {@link InferencePool.crashWorker} kill threads: for tests alone. */
  readonly faultInjection?: boolean;
}

/**
 * Threads that find and judge faces. A failure is a value: POOL_OVERLOADED, POOL_CLOSED, WORKER_DIED (the thread
 * died under this task) and WORKER_UNAVAILABLE (no thread lives and a new one does not start) may be tried
 * again with a later frame; codes of the worker's own (INFERENCE_FAILED, PIXELS_BAD_INPUT, …) come as they are.
 *
 * When a thread dies only its task fails; a new thread takes its place once it has loaded and warmed up. When
 * that fails it is tried again while there is work, after waits that grow to 30 s, and the others go on.
 */
export class InferencePool {
  /** What the models run on, and why. */
  readonly info: EngineInfo;
  /** Median time of one classification by batch size, ms, with every thread at work. */
  readonly classifyMsByBatch: Readonly<Record<number, number>>;
  /** Median time of one detection, ms, with every thread at work. */
  readonly detectMs: number;
  readonly workers: number;

  readonly #threads: WorkerThreads;
  readonly #state: PoolState;
  readonly #maxQueue: number;
  readonly #closeTimeoutMs: number;
  readonly #load: WorkerLoad;
  readonly #underWay = new Set<Promise<InferenceResult>>();
  #closing: Promise<void> | null = null;

  /**
   * Starts the threads and resolves when each has loaded both models and measured itself. Rejects with the first
   * thread's own reason as an `AppError` (MODEL_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED, ENGINE_MISSING), or
   * POOL_START_FAILED; no thread is left then.
   */
  static async open(options: InferencePoolOptions): Promise<InferencePool> {
    const { workers, workerOptions, maxQueue, faultInjection = false } = options;
    const state = new PoolState(options.log);
    const threads = new WorkerThreads({
      workers,
      maxQueue: maxQueue + workers,
      start: { options: workerOptions, state: state.shared, faultInjection },
      events: state,
    });
    try {
      const task = { kind: 'warm-up', batchSizes: options.measureBatchSizes ?? [1, 2, 4, 8] } as const;
      const results = await Promise.all(Array.from({ length: workers }, () => threads.run(task)));
      const measured = results.map((result) => expectWarmUp(result));
      state.open();
      return new InferencePool(threads, state, measured, options);
    } catch (error) {
      await threads.close();
      throw startError(error);
    }
  }

  private constructor(
    threads: WorkerThreads,
    state: PoolState,
    measured: readonly WarmUpResult[],
    options: InferencePoolOptions,
  ) {
    this.#threads = threads;
    this.#state = state;
    this.#maxQueue = options.maxQueue;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 5000;
    this.#load = new WorkerLoad(options.workers);
    this.workers = options.workers;
    this.info = measured[0]!.engine;
    this.detectMs = median(measured.map(({ detectMs }) => detectMs));
    this.classifyMsByBatch = Object.fromEntries(
      Object.keys(measured[0]!.classifyMsByBatch).map((size) => [
        size,
        median(measured.map(({ classifyMsByBatch }) => classifyMsByBatch[Number(size)]!)),
      ]),
    );
  }

  /** Share of the threads that were busy over about the last ten seconds, in [0, 1]. */
  get utilization(): number {
    return this.#load.utilization;
  }

  /** Tasks that wait for a thread. */
  get queueSize(): number {
    return Math.max(0, this.#underWay.size - this.workers);
  }

  /** Threads that take tasks now; fewer than `workers` while one is being replaced. */
  get workersReady(): number {
    return this.#threads.readyCount;
  }

  /** Threads that died since the start, other than by `close()`. */
  get workerDeaths(): number {
    return this.#state.deaths;
  }

  /**
   * Faces of a picture, best first, in pixels of `pixels`. The caller must not let the picture be overwritten before
   * the promise settles. `scoreThreshold` in [0, 1].
   */
  detect(
    pixels: PixelBuffer,
    scoreThreshold: number,
    options: Pick<DetectTask, 'wantsStatistics'> = {},
  ): Promise<DetectResult | TaskFailure> {
    return this.#run({ kind: 'detect', pixels, scoreThreshold, ...options }, isDetectResult);
  }

  /** Scores of crops of one or many pictures, as one batch. The pictures must stay until the promise settles. */
  classify(crops: readonly CropRequest[]): Promise<ClassifyResult | TaskFailure> {
    return this.#run({ kind: 'classify', crops }, isClassifyResult);
  }

  /** Kills a thread from within; FAULT_INJECTION_OFF unless the pool was opened for it. */
  crashWorker(how: CrashTask['how']): Promise<TaskFailure> {
    return this.#run({ kind: 'crash', how }, isNoResult);
  }

  /** Takes no more tasks, serves those that wait within the time allowed, ends the threads. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#state.close();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#closeTimeoutMs);
    });
    await Promise.race([Promise.allSettled(this.#underWay), timeout]);
    clearTimeout(timer);
    await this.#threads.close();
  }

  async #run<Result extends InferenceResult>(
    task: InferenceTask,
    isResult: (result: InferenceResult) => result is Result,
  ): Promise<Result | TaskFailure> {
    if (this.#closing) return failure('POOL_CLOSED', 'the inference pool is closing');
    if (this.#underWay.size >= this.workers + this.#maxQueue)
      return failure('POOL_OVERLOADED', `${this.#maxQueue} tasks wait already`);
    if (this.#threads.readyCount === 0 && this.#state.lastStartFailed) return this.#unavailable();

    const running = this.#state.settledOnOutage(this.#threads.run(task));
    this.#underWay.add(running);
    this.#load.set(this.#underWay.size);
    try {
      const result = await running;
      if (!result.ok || isResult(result)) return result;
      return failure('INFERENCE_FAILED', `a worker answered ${task.kind} with ${result.kind}`);
    } catch (error) {
      if (this.#closing) return failure('POOL_CLOSED', 'the inference pool is closing');
      return failure('WORKER_DIED', `the worker died under the task: ${messageOf(error)}`);
    } finally {
      this.#underWay.delete(running);
      this.#load.set(this.#underWay.size);
    }
  }

  /** No thread lives, and the last that was started did not come up: fail at once rather than hold the frame. */
  #unavailable(): TaskFailure {
    // An empty task makes Piscina start a thread; one at a time, as that thread itself waits before it tries.
    if (this.#threads.liveCount === 0) this.#threads.run({ kind: 'warm-up', batchSizes: [] }).catch(() => {});
    return this.#state.outage();
  }
}

function isDetectResult(result: InferenceResult): result is DetectResult {
  return result.ok && result.kind === 'detect';
}

function isClassifyResult(result: InferenceResult): result is ClassifyResult {
  return result.ok && result.kind === 'classify';
}

/** A crash has no result of its own. */
function isNoResult(_result: InferenceResult): _result is never {
  return false;
}

function expectWarmUp(result: InferenceResult): WarmUpResult {
  if (!result.ok) throw new AppError(result.error.code, result.error.message, result.error);
  if (result.kind === 'warm-up') return result;
  throw new AppError('POOL_START_FAILED', `a worker answered its warm-up with ${result.kind}`);
}

/** Errors of a thread keep their fields on the way but lose their class. */
function startError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const from = error as Partial<AppError> | null;
  if (from?.name !== 'AppError' || typeof from.code !== 'string') {
    return new AppError('POOL_START_FAILED', `the inference workers do not start: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const { hint, path, exitCode = 1, retryable = false } = from;
  return new AppError(from.code, messageOf(error), { cause: error, hint, path, exitCode, retryable });
}

function failure(code: string, message: string): TaskFailure {
  return { ok: false, error: { code, message, retryable: true } };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
