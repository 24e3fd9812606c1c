import { workerData } from 'node:worker_threads';
import { type InferenceResult, type InferenceTask, SHARED_STATE, type WorkerStart } from './protocol.js';
import { closingError, WorkRegister } from './work-register.js';

/*
 * What runs in each thread of the inference pool. Piscina calls a thread ready when this module's default export, a
 * promise, has resolved: engine and models are loaded and have run once by then. When it rejects, the thread
 * ends with the reason.
 *
 * Most is imported dynamically, once the thread has signed in as being at work: Node 20 aborts the process when a
 * thread is ended while it links modules (v8::Module::IsGraphAsync), so the first ones must be few and small.
 */

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

export type TaskHandler = (task: InferenceTask) => Promise<InferenceResult>;

/**
 * A thread that replaces a dead one waits longer after each start that failed (0.5 s, 1 s, … 30 s), or until the pool
 * closes. The wait is here and not in the pool because Piscina starts a thread whenever it lacks one and has work.
 */
function waitAfterFailedStarts(state: Int32Array<SharedArrayBuffer>): void {
  const isReplacement = Atomics.load(state, SHARED_STATE.isOpen) === 1;
  const failed = Atomics.add(state, SHARED_STATE.failedStarts, 1);
  if (!isReplacement || failed === 0) return;
  const waitMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failed - 1));
  Atomics.wait(state, SHARED_STATE.isClosing, 0, waitMs);
}

async function startWorker(): Promise<TaskHandler> {
  // Results of commands go to stdout; whatever a library has to say belongs on stderr.
  console.log = console.error;
  console.info = console.error;
  const start = workerData as WorkerStart;
  waitAfterFailedStarts(start.state);
  const work = new WorkRegister(start.state);
  if (!work.begin()) throw closingError();
  try {
    const { TaskRunner } = await import('./task-runner.js');
    const runner = await TaskRunner.open(start, work);
    await runner.warmUp();
    Atomics.store(start.state, SHARED_STATE.failedStarts, 0);
    return (task) => runner.run(task);
  } finally {
    work.end();
  }
}

export default startWorker();
