/** Remembers what was opened, to close it in reverse. */
export class CloseStack {
  readonly #entries: { readonly name: string; readonly close: () => Promise<unknown> | unknown }[] = [];
  readonly #onFailed: (name: string, error: unknown) => void;
  #closing: Promise<void> | null = null;

  /** `onFailed` is told of what did not close; the rest is closed all the same. */
  constructor(onFailed: (name: string, error: unknown) => void) {
    this.#onFailed = onFailed;
  }

  get isClosing(): boolean {
    return this.#closing !== null;
  }

  push(name: string, close: () => Promise<unknown> | unknown): void {
    this.#entries.push({ name, close });
  }

  /** Closes everything, last opened first, one after the other. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const { name, close } of this.#entries.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        this.#onFailed(name, error);
      }
    }
  }
}
