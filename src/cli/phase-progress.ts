import { note } from './output.js';
import { type Progress, startProgress } from './progress.js';

/** Shows work whose phases are told one after the other, some with how far they are. */
export class PhaseProgress {
  readonly #stream: NodeJS.WriteStream;
  #bar: { readonly bar: Progress; readonly total: number } | null = null;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  phase(phase: string): void {
    this.stop();
    note(`maskwatch: ${phase} …`);
  }

  /** Seconds of a wait; a bar of its own each, on a terminal only: a log has the phases, and counting tells no more. */
  waited(doneSeconds: number, totalSeconds: number): void {
    if (!this.#stream.isTTY) return;
    if (this.#bar?.total !== totalSeconds) {
      this.stop();
      const bar = startProgress({ label: 'waiting', total: totalSeconds, unit: 's', stream: this.#stream });
      this.#bar = { bar, total: totalSeconds };
    }
    this.#bar?.bar.update(Math.min(totalSeconds, Math.round(doneSeconds)));
  }

  stop(): void {
    this.#bar?.bar.stop();
    this.#bar = null;
  }
}
