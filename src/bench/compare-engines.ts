import {
  costMs,
  type EngineCandidate,
  type EngineQuestion,
  listCandidates,
  rank,
} from '../inference/choose-engine.js';
import { EngineProbe } from '../inference/engine-probe.js';
import { type InstalledEngines, readInstalledEngines } from '../inference/machine-facts.js';
import { AppError, messageOf } from '../lib/errors.js';
import { readNvidiaGpus } from '../lib/nvidia.js';
import { tenth } from '../lib/rounding.js';
import { type ComparedEngine, EngineRunner, SUBJECTS } from './engine-runner.js';
import { describeMachine, type MachineDescription } from './machine-description.js';

/** Of each measurement the middle round counts: a neighbour's burst of work spoils one, not the result. */
const LEAST_ROUNDS = 3;
/** One turn of an engine, ms; a run that takes longer is not cut short. Short turns, so that all share a busy second. */
const TURN_MS = 40;
/** TensorRT compiles each model, and each batch size anew. */
const COMPILE_TIMEOUT_MS = 600_000;

export interface Refusal {
  readonly name: string;
  readonly reason: string;
}

export interface EnginesReport {
  readonly machine: MachineDescription;
  readonly models: { readonly detector: string; readonly classifier: string };
  readonly picture: string;
  readonly threads: number;
  readonly rounds: number;
  /** By time per crop, the fastest first. */
  readonly engines: readonly ComparedEngine[];
  /** Engines that took no part, or not to the end. */
  readonly refusals: readonly Refusal[];
  /** The engine that `engine: auto` would take by these figures, and its time for a picture and two crops. */
  readonly auto: { readonly name: string; readonly costMs: number } | null;
}

export interface CompareOptions {
  readonly question: EngineQuestion;
  /** Rounds begin for so long, but three at the least; loading comes on top. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly onPhase?: (phase: string) => void;
}

/**
 * Times every engine of this machine on the models of `question`, each in a process of its own, in turns: round after
 * round over all of them, so that a busy machine is unfair to none. An engine that fails is a refusal, and the others
 * go on. Throws `AppError` ENGINE_MISSING (exit code 3) when none is left; rejects with the signal's reason when aborted.
 */
export async function compareEngines(options: CompareOptions): Promise<EnginesReport> {
  const { question, signal, onPhase } = options;
  const { candidates, refusals } = candidatesHere(readInstalledEngines(), readNvidiaGpus().isPresent);
  let runners: EngineRunner[] = [];
  const drop = async (runner: EngineRunner, error: unknown) => {
    signal.throwIfAborted();
    runners = runners.filter((other) => other !== runner);
    refusals.push({ name: runner.name, reason: firstLine(error) });
    await runner.probe.close();
  };
  let rounds = 0;
  try {
    for (const candidate of candidates) {
      onPhase?.(`loading ${nameOf(candidate)}`);
      const opened = await open(question, candidate, signal);
      if (opened instanceof EngineRunner) runners.push(opened);
      else refusals.push(opened);
    }
    const endMs = performance.now() + options.seconds * 1000;
    for (; runners.length > 0 && (rounds < LEAST_ROUNDS || performance.now() < endMs); rounds++) {
      onPhase?.(`measuring, round ${rounds + 1}`);
      for (const size of SUBJECTS)
        for (const runner of [...runners]) {
          signal.throwIfAborted();
          await runner.measure(size, TURN_MS).catch((error) => drop(runner, error));
        }
    }
  } finally {
    await Promise.all(runners.map(({ probe }) => probe.close()));
  }
  if (runners.length === 0)
    throw new AppError(
      'ENGINE_MISSING',
      `no engine runs here: ${refusals.map(({ name, reason }) => `${name}: ${reason}`).join('; ')}`,
      { exitCode: 3, hint: 'npx maskwatch doctor says what is missing' },
    );
  const fastest = {
    msPerCrop: Math.min(...runners.map((runner) => runner.best().msPerCrop)),
    detectMs: Math.min(...runners.map(({ detectMs }) => detectMs)),
  };
  return {
    machine: describeMachine(),
    models: {
      detector: question.detectorModelDir.split(/[\\/]/).at(-1)!,
      classifier: question.classifierModelDir.split(/[\\/]/).at(-1)!,
    },
    picture: `${question.detectorWidth}×${question.detectorHeight}`,
    threads: question.threads,
    rounds,
    engines: runners
      .map((runner) => runner.row(fastest))
      .sort((a, b) => b.best.cropsPerSecond - a.best.cropsPerSecond),
    refusals,
    auto: autoOf(runners),
  };
}

/**
 * What is to be timed, in the order of `engine: auto`, TensorRT last; and what cannot be, because it is not installed.
 */
export function candidatesHere(
  installed: InstalledEngines,
  hasGpu: boolean,
): { candidates: EngineCandidate[]; refusals: Refusal[] } {
  const candidates = listCandidates(installed, 'auto');
  const refusals: Refusal[] = [];
  const refuse = (name: string, reason: string) => refusals.push({ name, reason });
  if (installed.onnxruntime === null) refuse('onnxruntime (cpu)', 'onnxruntime-node is not installed');
  const noLibrary = 'its library is not installed (npx maskwatch doctor says where it has to lie)';
  if (!installed.hasCudaProvider) refuse('onnxruntime (cuda)', noLibrary);
  if (!installed.hasTensorRtProvider) refuse('onnxruntime (tensorrt)', noLibrary);
  else if (!hasGpu) refuse('onnxruntime (tensorrt)', 'there is no NVIDIA GPU');
  else candidates.push({ engine: 'onnxruntime', device: 'tensorrt' });
  if (installed.native === null)
    refuse('tfjs (tensorflow)', 'its binding is not built (npx maskwatch setup tensorflow)');
  if (installed.tfjs === null) refuse('tfjs (wasm)', '@tensorflow/tfjs-core is not installed');
  return { candidates, refusals };
}

async function open(
  question: EngineQuestion,
  candidate: EngineCandidate,
  signal: AbortSignal,
): Promise<EngineRunner | Refusal> {
  const { detectorModelDir: modelDir, detectorWidth: widthPx, detectorHeight: heightPx } = question;
  try {
    const probe = await EngineProbe.open(
      {
        ...candidate,
        threads: question.threads,
        detector: { modelDir, widthPx, heightPx },
        classifierDir: question.classifierModelDir,
      },
      signal,
      candidate.device === 'tensorrt' ? COMPILE_TIMEOUT_MS : undefined,
    );
    if (probe.info.shortfall === undefined) return new EngineRunner(candidate, probe);
    await probe.close();
    return { name: nameOf(candidate), reason: probe.shortfall ?? probe.info.shortfall };
  } catch (error) {
    signal.throwIfAborted();
    return { name: nameOf(candidate), reason: firstLine(error) };
  }
}

/** TensorRT is taken only where somebody asks for it. */
function autoOf(runners: readonly EngineRunner[]): EnginesReport['auto'] {
  const figures = runners
    .filter(({ candidate }) => candidate.device !== 'tensorrt')
    .map((one) => one.figures());
  if (figures.length === 0) return null;
  const [best] = rank(figures);
  return { name: `${best!.engine} (${best!.ranOn})`, costMs: tenth(costMs(best!)) };
}

function nameOf({ engine, device }: EngineCandidate): string {
  return `${engine} (${device})`;
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n')[0]!;
}
