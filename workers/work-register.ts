import { AppError } from '../src/lib/errors.js';
import { SHARED_STATE } from './protocol.js';

/**
 * Tells the pool when this thread is inside native code. A thread that is terminated there comes back into an
 * environment that is gone, and ONNX Runtime's binding then aborts the whole process (seen on Node 20 and 24 while
 * loading a model); so the pool waits until nobody is at work before it ends its threads.
 */
export class WorkRegister {
  readonly #state: Int32Array<SharedArrayBuffer>;

  constructor(state: Int32Array<SharedArrayBuffer>) {
    this.#state = state;
  }

  /** False, and nothing begun, when the pool is closing. */
  begin(): boolean {
    // First the count, then the question: the pool asks the other way round.
    Atomics.add(this.#state, SHARED_STATE.atWork, 1);
    if (Atomics.load(this.#state, SHARED_STATE.isClosing) === 0) return true;
    this.end();
    return false;
  }

  end(): void {
    Atomics.sub(this.#state, SHARED_STATE.atWork, 1);
    Atomics.notify(this.#state, SHARED_STATE.atWork);
  }
}

export function closingError(): AppError {
  return new AppError('POOL_CLOSED', 'the inference pool is closing', { retryable: true });
}
