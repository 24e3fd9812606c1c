import { type Clock, systemClock } from './clock.js';
import { AppError } from './errors.js';

interface Entry {
  readonly name: string;
  readonly close: () => Promise<unknown> | unknown;
  readonly withinMs: number;
}

const DEFAULT_WITHIN_MS = 3000;

/** Remembers what was opened, to close it in reverse. */
export class CloseStack {
  readonly #entries: Entry[] = [];
  readonly #onFailed: (name: string, error: unknown) => void;
  readonly #clock: Clock;
  readonly #leftBehind: string[] = [];
  #closing: Promise<void> | null = null;

  /**
   * `onFailed` is told of what did not close, or not in time (CLOSE_TIMED_OUT); the rest is closed all the same.
   */
  constructor(onFailed: (name: string, error: unknown) => void, clock: Clock = systemClock) {
    this.#onFailed = onFailed;
    this.#clock = clock;
  }

  get isClosing(): boolean {
    return this.#closing !== null;
  }

  /** Names of what had not closed when its time was up: it may still hold threads or processes. */
  get leftBehind(): readonly string[] {
    return this.#leftBehind;
  }

  /** `close` may take `withinMs` (default 3 s); then it is left behind. */
  push(name: string, close: () => Promise<unknown> | unknown, withinMs = DEFAULT_WITHIN_MS): void {
    this.#entries.push({ name, close, withinMs });
  }

  /** Closes everything, last opened first, one after the other. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const entry of this.#entries.splice(0).reverse()) {
      const isClosed = new AbortController();
      try {
        await Promise.race([entry.close(), this.#timeUp(entry, isClosed.signal)]);
      } catch (error) {
        this.#onFailed(entry.name, error);
      } finally {
        isClosed.abort();
      }
    }
  }

  async #timeUp({ name, withinMs }: Entry, isClosed: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(withinMs, isClosed);
    } catch {
      return; // It closed in time.
    }
    this.#leftBehind.push(name);
    throw new AppError('CLOSE_TIMED_OUT', `${name} did not close within ${withinMs} ms and is left behind`);
  }
}
