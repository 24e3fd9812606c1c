import type { Frame } from '../domain/frame.js';

/**
 * Room for one waiting frame: the newest wins. A frame that is replaced is released and told to `onReplaced`.
 * Live video is never buffered; this is the only place where a decoded frame waits for analysis.
 */
export class LatestFrameSlot {
  readonly #onReplaced: (frame: Frame) => void;
  #waiting: Frame | null = null;
  #wake: (() => void) | null = null;

  constructor(onReplaced: (frame: Frame) => void) {
    this.#onReplaced = onReplaced;
  }

  get isFull(): boolean {
    return this.#waiting !== null;
  }

  /** Takes over the caller's hold of `frame`. */
  put(frame: Frame): void {
    const replaced = this.#waiting;
    this.#waiting = frame;
    if (replaced) {
      this.#onReplaced(replaced);
      replaced.release();
    }
    this.#wake?.();
  }

  /** The newest frame, which the caller must release; waits for one, `null` once `signal` aborts. */
  async take(signal: AbortSignal): Promise<Frame | null> {
    while (!signal.aborted) {
      const frame = this.#waiting;
      if (frame) {
        this.#waiting = null;
        return frame;
      }
      await new Promise<void>((resolve) => {
        const done = () => {
          signal.removeEventListener('abort', done);
          this.#wake = null;
          resolve();
        };
        this.#wake = done;
        signal.addEventListener('abort', done, { once: true });
      });
    }
    return null;
  }

  /** Lets go of the waiting frame, if there is one, and returns whether there was. */
  clear(): boolean {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.release();
    return waiting !== null;
  }
}
