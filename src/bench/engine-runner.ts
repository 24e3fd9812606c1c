import type { EngineFigures } from '../inference/choice-cache.js';
import { AUTO_BATCH_SIZES, type EngineCandidate } from '../inference/choose-engine.js';
import type { EngineProbe } from '../inference/engine-probe.js';
import { tenth } from '../lib/rounding.js';

/** Crops at once; the models' graphs take any number. */
export const BATCH_SIZES = [1, 4, 8, 16, 32, 64] as const;
/** What a round measures of each engine: 0 stands for the detector's one picture. */
export const SUBJECTS = [0, ...BATCH_SIZES] as const;

export interface ComparedEngine {
  /** Engine and what it runs on, e.g. `tfjs (tensorflow)`. */
  readonly name: string;
  readonly version: string;
  /** Of one picture at the size of the default configuration. */
  readonly detectMs: number;
  /** By batch size. */
  readonly cropsPerSecond: Readonly<Record<string, number>>;
  readonly best: { readonly batchSize: number; readonly cropsPerSecond: number };
  /** Slowest round over fastest round at the best batch size: far from 1, the machine was busy with other things. */
  readonly scatter: number;
  /** Time as a multiple of the fastest engine's: of a crop at the best batch size, and of a picture. */
  readonly slowerThanBest: { readonly crop: number; readonly picture: number };
}

/** An engine that takes part in a comparison, with its figures so far. */
export class EngineRunner {
  readonly candidate: EngineCandidate;
  readonly probe: EngineProbe;
  readonly #times = new Map<number, number[]>(SUBJECTS.map((size) => [size, []]));

  constructor(candidate: EngineCandidate, probe: EngineProbe) {
    this.candidate = candidate;
    this.probe = probe;
  }

  get name(): string {
    return `${this.candidate.engine} (${this.probe.info.device})`;
  }

  /** One turn: `size` crops at once, or with 0 one picture, again and again for `budgetMs`. */
  async measure(size: number, budgetMs: number): Promise<void> {
    const ms = size === 0 ? await this.probe.detectMs(budgetMs) : await this.probe.classifyMs(size, budgetMs);
    this.#times.get(size)!.push(ms);
  }

  /** Median of the rounds, ms. */
  get detectMs(): number {
    return this.#median(0);
  }

  /** Median of the rounds at the best of `sizes`. */
  best(sizes: readonly number[] = BATCH_SIZES): { batchSize: number; msPerCrop: number } {
    return sizes
      .map((batchSize) => ({ batchSize, msPerCrop: this.#median(batchSize) / batchSize }))
      .reduce((a, b) => (b.msPerCrop < a.msPerCrop ? b : a));
  }

  /** As `engine: auto` looks at it: it tries fewer batch sizes. */
  figures(): EngineFigures {
    const { version, device: ranOn } = this.probe.info;
    return {
      ...this.candidate,
      ranOn,
      version,
      detectMs: this.detectMs,
      ...this.best(AUTO_BATCH_SIZES),
    };
  }

  row(fastest: { readonly msPerCrop: number; readonly detectMs: number }): ComparedEngine {
    const { batchSize, msPerCrop } = this.best();
    const times = this.#times.get(batchSize)!;
    return {
      name: this.name,
      version: this.probe.info.version,
      detectMs: hundredth(this.detectMs),
      cropsPerSecond: Object.fromEntries(
        BATCH_SIZES.map((size) => [size, tenth((1000 * size) / this.#median(size))]),
      ),
      best: { batchSize, cropsPerSecond: tenth(1000 / msPerCrop) },
      scatter: hundredth(Math.max(...times) / Math.min(...times)),
      slowerThanBest: {
        crop: hundredth(msPerCrop / fastest.msPerCrop),
        picture: hundredth(this.detectMs / fastest.detectMs),
      },
    };
  }

  #median(size: number): number {
    const times = [...this.#times.get(size)!].sort((a, b) => a - b);
    return times[times.length >> 1]!;
  }
}

function hundredth(value: number): number {
  return Math.round(value * 100) / 100;
}
