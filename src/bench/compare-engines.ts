import { costMs, type EngineQuestion, listCandidates, rank } from '../inference/choose-engine.js';
import { EngineProbe } from '../inference/engine-probe.js';
import { readInstalledEngines } from '../inference/machine-facts.js';
import { messageOf } from '../lib/errors.js';
import { tenth } from '../lib/rounding.js';
import { describeMachine, type MachineDescription } from './machine-description.js';

const BATCH_SIZES = [1, 4, 8, 16, 32, 64] as const;
/** Of each measurement the middle one counts: a neighbour's burst of work spoils one round, not the result. */
const ROUNDS = 3;
/** Shortest measurement, ms; each runs twice at the least all the same. */
const LEAST_BUDGET_MS = 20;

export interface ComparedEngine {
  readonly name: string;
  readonly version: string;
  readonly ranOn: string;
  /** Of one picture at the size of the default configuration. */
  readonly detectMs: number;
  /** By batch size. */
  readonly cropsPerSecond: Readonly<Record<string, number>>;
  readonly best: { readonly batchSize: number; readonly cropsPerSecond: number };
  /** Time per crop at its best batch size, as a multiple of the fastest engine's. */
  readonly slowerThanBest: number;
}

export interface EnginesReport {
  readonly machine: MachineDescription;
  readonly picture: string;
  /** By time per crop, the fastest first. */
  readonly engines: readonly ComparedEngine[];
  readonly refusals: readonly { readonly name: string; readonly reason: string }[];
  /** The engine that `engine: auto` would take by these figures. */
  readonly auto: string | null;
}

/**
 * Times every engine of this machine on the models of `question`, each in a process of its own, in turns: three rounds
 * over all of them, so that a busy machine is unfair to none. Rejects with the signal's reason when aborted.
 */
export async function compareEngines(options: {
  readonly question: EngineQuestion;
  /** For all measurements together; loading comes on top. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly onPhase?: (phase: string) => void;
}): Promise<EnginesReport> {
  const { question, signal, onPhase } = options;
  const { detectorModelDir: modelDir, detectorWidth: widthPx, detectorHeight: heightPx } = question;
  const refusals: { name: string; reason: string }[] = [];
  const runners: Runner[] = [];
  try {
    for (const candidate of listCandidates(readInstalledEngines(), 'auto')) {
      const name = `${candidate.engine} (${candidate.device})`;
      onPhase?.(`loading ${name}`);
      try {
        const probe = await EngineProbe.open(
          {
            ...candidate,
            threads: question.threads,
            detector: { modelDir, widthPx, heightPx },
            classifierDir: question.classifierModelDir,
          },
          signal,
        );
        runners.push(new Runner(name, candidate, probe));
      } catch (error) {
        signal.throwIfAborted();
        refusals.push({ name, reason: messageOf(error).split('\n')[0]! });
      }
    }
    const measurements = ROUNDS * Math.max(1, runners.length) * (BATCH_SIZES.length + 1);
    const budgetMs = Math.max(LEAST_BUDGET_MS, (options.seconds * 1000) / measurements);
    for (let round = 1; round <= ROUNDS; round++) {
      onPhase?.(`measuring, round ${round} of ${ROUNDS}`);
      for (const size of [0, ...BATCH_SIZES])
        for (const runner of runners) {
          signal.throwIfAborted();
          await runner.measure(size, budgetMs);
        }
    }
  } finally {
    await Promise.all(runners.map(({ probe }) => probe.close()));
  }
  const rows = runners.map((runner) => runner.row());
  const fastest = Math.max(...rows.map(({ best }) => best.cropsPerSecond));
  const [auto] = runners.length === 0 ? [] : rank(runners.map((runner) => runner.figures()));
  return {
    machine: describeMachine(),
    picture: `${widthPx}×${heightPx}`,
    engines: rows
      .map((row) => ({ ...row, slowerThanBest: hundredth(fastest / row.best.cropsPerSecond) }))
      .sort((a, b) => b.best.cropsPerSecond - a.best.cropsPerSecond),
    refusals,
    auto: auto
      ? `${auto.engine} (${auto.ranOn}), ${tenth(costMs(auto))} ms for a picture and its crops`
      : null,
  };
}

type Candidate = ReturnType<typeof listCandidates>[number];

class Runner {
  readonly name: string;
  readonly probe: EngineProbe;
  readonly #candidate: Candidate;
  /** By batch size, 0 for the detector: medians of the rounds, ms. */
  readonly #times = new Map<number, number[]>();

  constructor(name: string, candidate: Candidate, probe: EngineProbe) {
    this.name = name;
    this.#candidate = candidate;
    this.probe = probe;
  }

  async measure(size: number, budgetMs: number): Promise<void> {
    const ms = size === 0 ? await this.probe.detectMs(budgetMs) : await this.probe.classifyMs(size, budgetMs);
    this.#times.set(size, [...(this.#times.get(size) ?? []), ms]);
  }

  figures() {
    const best = this.#best();
    const { version, device: ranOn } = this.probe.info;
    const { batchSize, msPerCrop } = best;
    return { ...this.#candidate, ranOn, version, detectMs: this.#median(0), batchSize, msPerCrop };
  }

  row(): Omit<ComparedEngine, 'slowerThanBest'> {
    const { batchSize, msPerCrop } = this.#best();
    const { version, device: ranOn } = this.probe.info;
    const rate = (size: number) => tenth((1000 * size) / this.#median(size));
    return {
      name: this.name,
      version,
      ranOn,
      detectMs: hundredth(this.#median(0)),
      cropsPerSecond: Object.fromEntries(BATCH_SIZES.map((size) => [size, rate(size)])),
      best: { batchSize, cropsPerSecond: tenth(1000 / msPerCrop) },
    };
  }

  #best(): { batchSize: number; msPerCrop: number } {
    return BATCH_SIZES.map((batchSize) => ({
      batchSize,
      msPerCrop: this.#median(batchSize) / batchSize,
    })).reduce((a, b) => (b.msPerCrop < a.msPerCrop ? b : a));
  }

  #median(size: number): number {
    const times = [...this.#times.get(size)!].sort((a, b) => a - b);
    return times[times.length >> 1]!;
  }
}

function hundredth(value: number): number {
  return Math.round(value * 100) / 100;
}
