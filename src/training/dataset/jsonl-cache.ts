import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Results by key, appended to a file as they come, so that an interrupted run goes on where it was. */
export class JsonlCache<Value> {
  readonly #entries: Map<string, Value>;
  readonly #file: FileHandle;

  private constructor(entries: Map<string, Value>, file: FileHandle) {
    this.#entries = entries;
    this.#file = file;
  }

  /** `name` should say everything that the values depend on, beside their keys. A half-written last line is dropped. */
  static async open<Value>(directory: string, name: string): Promise<JsonlCache<Value>> {
    await mkdir(directory, { recursive: true });
    const path = join(directory, `${name}.jsonl`);
    const text = await readFile(path, 'utf8').catch(() => '');
    const entries = new Map<string, Value>();
    for (const line of text.split('\n')) {
      try {
        const [key, value] = JSON.parse(line) as [string, Value];
        entries.set(key, value);
      } catch {
        // The empty end, or a line that was cut off: made again.
      }
    }
    const file = await open(path, 'a');
    if (text !== '' && !text.endsWith('\n')) await file.write('\n');
    return new JsonlCache(entries, file);
  }

  /** The value of `key`, made by `make` when it is not there yet. */
  async take(key: string, make: () => Promise<Value>): Promise<Value> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const value = await make();
    this.#entries.set(key, value);
    await this.#file.write(`${JSON.stringify([key, value])}\n`);
    return value;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
