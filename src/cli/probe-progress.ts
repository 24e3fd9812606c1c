import type { ProbePhase } from '../probe/probe-camera.js';
import { PhaseProgress } from './phase-progress.js';
import { type Progress, startProgress } from './progress.js';

export interface ProbeProgressOptions {
  /** How long a camera is looked at. */
  readonly seconds: number;
  readonly cameras: number;
  /** Default stderr. */
  readonly stream?: NodeJS.WriteStream;
  /** Ms clock. Default performance.now. */
  readonly nowMs?: () => number;
}

const TICK_MS = 250;
/** What is done sooner needs no line. */
const QUIET_MS = 2000;
const WORDS: Record<ProbePhase, string> = {
  asking: 'asking whether anybody is there',
  loading: 'loading the models',
  connecting: 'waiting for the first picture',
  watching: 'looking at the pictures',
  counting: 'counting packets and keyframes',
};

/** How far a probe is, from two seconds on: what happens to one camera, or how many of many are done. */
export class ProbeProgress {
  readonly #options: ProbeProgressOptions;
  readonly #nowMs: () => number;
  readonly #startMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #phases: PhaseProgress;
  #bar: Progress | null = null;
  #words = '';
  #toldWords = '';
  #watchingSinceMs: number | null = null;
  #done = 0;

  constructor(options: ProbeProgressOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#startMs = this.#nowMs();
    this.#phases = new PhaseProgress(options.stream ?? process.stderr);
    this.#timer = setInterval(() => this.tick(), TICK_MS);
    this.#timer.unref();
  }

  phase(phase: ProbePhase, transport?: string): void {
    this.#words = transport === undefined ? WORDS[phase] : `${WORDS[phase]} (${transport})`;
    this.#watchingSinceMs = phase === 'watching' ? this.#nowMs() : null;
  }

  /** Cameras that are done. */
  done(count: number): void {
    this.#done = count;
  }

  /** Shows what there is to show; called by a timer. */
  tick(): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#startMs < QUIET_MS) return;
    const { cameras, seconds, stream } = this.#options;
    if (cameras > 1) {
      // Each of them is elsewhere.
      this.#bar ??= startProgress({
        ...{ label: 'probing', total: cameras, unit: 'cameras', nowMs: this.#nowMs },
        ...(stream ? { stream } : {}),
      });
      this.#bar.update(this.#done);
      return;
    }
    if (this.#words !== this.#toldWords) this.#phases.phase(this.#words);
    this.#toldWords = this.#words;
    if (this.#watchingSinceMs !== null)
      this.#phases.waited((nowMs - this.#watchingSinceMs) / 1000, Math.ceil(seconds));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#bar?.stop();
    this.#bar = null;
    this.#phases.stop();
  }
}
