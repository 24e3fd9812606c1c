import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { ArrayTaskQueue, Piscina } from 'piscina';
import {
  type InferenceResult,
  type InferenceTask,
  SHARED_STATE,
  type WorkerStart,
} from '../../workers/protocol.js';
import { prepareNativeEnvironment } from './native-environment.js';

/** Called as threads come and go. */
export interface ThreadEvents {
  /** A thread has loaded and warmed up and takes tasks (the first ones are announced before they have). */
  ready(): void;
  /** A thread is gone: one that took tasks, or one that never came so far. */
  gone(wasReady: boolean): void;
  /** What a thread that had no task said last. */
  error(error: unknown): void;
}

/** How long threads may go on with what they are doing before they are ended in the midst of it, ms. */
const END_TIMEOUT_MS = 10_000;
const EXIT_TIMEOUT_MS = 2000;

/** A Piscina of a fixed number of inference threads that only ever gives tasks to threads that are ready. */
export class WorkerThreads {
  readonly #piscina: Piscina<InferenceTask, InferenceResult>;
  readonly #readyIds = new Set<number>();
  readonly #known = new WeakSet<Worker>();
  readonly #starting = new Set<Worker>();
  readonly #state: Int32Array<SharedArrayBuffer>;
  /** `process.exit()` ends threads too, without asking. */
  readonly #onExit = (): void => this.#waitBlocking(EXIT_TIMEOUT_MS);

  constructor(options: { workers: number; maxQueue: number; start: WorkerStart; events: ThreadEvents }) {
    const { workers, maxQueue, start, events } = options;
    this.#state = start.state;
    process.on('exit', this.#onExit);
    prepareNativeEnvironment(start.options.threadsPerWorker, start.options.device);
    this.#piscina = new Piscina<InferenceTask, InferenceResult>({
      ...workerFile(),
      workerData: start,
      // Idle threads stay: a new one would have to load the models again.
      minThreads: workers,
      maxThreads: workers,
      maxQueue,
      // First come, first served, also for a task that found no thread free.
      taskQueue: new ArrayTaskQueue(),
      stricterFIFO: true,
      concurrentTasksPerWorker: 1,
      // The default: an idle thread sleeps on a shared number and wakes without going through its event loop.
      atomics: 'sync',
      recordTiming: false,
      loadBalancer: (_task, candidates) =>
        candidates.find(({ id, currentUsage }) => currentUsage === 0 && this.#readyIds.has(id)) ?? null,
    });
    this.#piscina.on('workerCreate', ({ id }: { id: number }) => {
      this.#readyIds.add(id);
      events.ready();
    });
    // A dead thread has lost its id by now: compare who is still there once Piscina has struck it off.
    this.#piscina.on('workerDestroy', () => {
      queueMicrotask(() => {
        events.gone(this.#forgetDead());
        this.#watchStarts();
      });
    });
    this.#piscina.on('error', (error: unknown) => events.error(error));
    this.#watchStarts();
  }

  /** Threads that take tasks. */
  get readyCount(): number {
    return this.#readyIds.size;
  }

  /** Threads that live, ready or still loading. */
  get liveCount(): number {
    return this.#piscina.threads.length;
  }

  /** Rejects when the thread dies under the task, or the queue is full. */
  run(task: InferenceTask): Promise<InferenceResult> {
    const result = this.#piscina.run(task);
    // Piscina may have started a thread for it.
    if (this.liveCount > this.#readyIds.size) this.#watchStarts();
    return result;
  }

  /**
   * Ends all threads and resolves when they are gone. Tasks that wait are rejected; threads that start or run a task
   * come to the end of it first (see workers/work-register.ts), within ten seconds.
   */
  async close(): Promise<void> {
    Atomics.store(this.#state, SHARED_STATE.isClosing, 1);
    Atomics.notify(this.#state, SHARED_STATE.isClosing);
    const deadlineMs = performance.now() + END_TIMEOUT_MS;
    while (this.#isBusy() && performance.now() < deadlineMs) await sleep(2);
    await this.#piscina.destroy();
    process.off('exit', this.#onExit);
  }

  #isBusy(): boolean {
    const threads = this.#piscina.threads;
    return threads.some((thread) => this.#starting.has(thread)) || (threads.length > 0 && this.#atWork() > 0);
  }

  /** Threads announce the end of their start with their first message. */
  #watchStarts(): void {
    for (const thread of this.#piscina.threads) {
      if (this.#known.has(thread)) continue;
      this.#known.add(thread);
      this.#starting.add(thread);
      const done = (): boolean => this.#starting.delete(thread);
      thread.once('message', done);
      thread.once('exit', done);
    }
  }

  #atWork(): number {
    return Atomics.load(this.#state, SHARED_STATE.atWork);
  }

  #waitBlocking(timeoutMs: number): void {
    Atomics.store(this.#state, SHARED_STATE.isClosing, 1);
    Atomics.notify(this.#state, SHARED_STATE.isClosing);
    const deadlineMs = performance.now() + timeoutMs;
    for (let atWork = this.#atWork(); atWork > 0; atWork = this.#atWork()) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return;
      Atomics.wait(this.#state, SHARED_STATE.atWork, atWork, leftMs);
    }
  }

  /** Whether one of the ready threads is gone. */
  #forgetDead(): boolean {
    const alive = new Set(this.#piscina.threads.map(({ threadId }) => threadId));
    let wasReady = false;
    for (const id of this.#readyIds) {
      if (alive.has(id)) continue;
      this.#readyIds.delete(id);
      wasReady = true;
    }
    return wasReady;
  }
}

/** The built worker beside the built pool; the source, through tsx, beside the source (tests). */
function workerFile(): { filename: string; execArgv?: string[] } {
  const isSource = import.meta.url.endsWith('.ts');
  const url = new URL(`../../workers/inference-worker.${isSource ? 'ts' : 'js'}`, import.meta.url);
  const filename = fileURLToPath(url);
  if (!isSource) return { filename };
  // `--import tsx` itself registers in the main thread only.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const api = new URL('./dist/esm/api/index.mjs', tsx).href;
  const register = `import { register } from ${JSON.stringify(api)}; register();`;
  return { filename, execArgv: ['--import', `data:text/javascript,${encodeURIComponent(register)}`] };
}
