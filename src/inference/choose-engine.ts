import { AppError, messageOf } from '../lib/errors.js';
import { readNvidiaGpus } from '../lib/nvidia.js';
import {
  defaultCacheFile,
  type EngineFigures,
  type EngineMeasurement,
  type EngineRefusal,
  recall,
  remember,
} from './choice-cache.js';
import type { EngineDevice } from './engine.js';
import { EngineProbe } from './engine-probe.js';
import { choiceKey, type InstalledEngines, readInstalledEngines } from './machine-facts.js';
import { readManifest } from './manifest.js';
import type { EngineName } from './select-engine.js';

export interface EngineQuestion {
  readonly detectorModelDir: string;
  readonly classifierModelDir: string;
  readonly detectorWidth: number;
  readonly detectorHeight: number;
  /** Of one operation. */
  readonly threads: number;
  /** Default auto: all that are there. */
  readonly device?: EngineDevice | undefined;
}

export interface EngineChoice {
  readonly engine: EngineName;
  readonly device: EngineDevice;
  /** One line for people, with the figures. */
  readonly reason: string;
  /** Whether it computes on a GPU, where one thread suffices. */
  readonly isGpu: boolean;
  readonly measurement: EngineMeasurement;
}

export interface ChooseOptions {
  /** Default: {@link defaultCacheFile}. */
  readonly cacheFile?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told when measuring begins: what is remembered needs none. */
  readonly onMeasure?: (() => void) | undefined;
}

/** An engine with what it is asked to run on. */
export interface EngineCandidate {
  readonly engine: EngineName;
  readonly device: EngineDevice;
}

/** Time for the runs of all candidates together, ms; loading comes on top. */
const MEASURE_MS = 1000;
/** From the second on a batch has to bring something; the pool itself tries larger ones later. */
export const AUTO_BATCH_SIZES: readonly number[] = [1, 4, 8];
/** As on a camera with people: one picture, two faces. */
const CROPS_PER_PICTURE = 2;
/** One that is listed earlier is left for a later one only when that is so much faster: figures of one second scatter. */
const WORTH_RATIO = 0.9;

/**
 * The engine that is fastest on this machine with these models, measured for about a second, each in a process of its
 * own, and remembered from then on. null when none could be measured: the reason then comes from opening one.
 * Throws `AppError` MODEL_NOT_FOUND or MODEL_INVALID for a folder that is no model, and the signal's reason.
 */
export async function chooseEngine(
  question: EngineQuestion,
  options: ChooseOptions = {},
): Promise<EngineChoice | null> {
  const { cacheFile = defaultCacheFile(), signal } = options;
  const { key, installed } = await keyOf(question);
  const remembered = await recall(cacheFile, key);
  if (remembered) return toChoice(remembered, true, null);
  options.onMeasure?.();
  const measured = await measure(question, listCandidates(installed, question.device ?? 'auto'), signal);
  if (!measured) return null;
  return toChoice(measured, false, await remember(cacheFile, key, measured));
}

/** What {@link chooseEngine} would answer without measuring: null when nothing is remembered. Throws as it does. */
export async function rememberedChoice(
  question: EngineQuestion,
  cacheFile = defaultCacheFile(),
): Promise<EngineChoice | null> {
  const remembered = await recall(cacheFile, (await keyOf(question)).key);
  return remembered && toChoice(remembered, true, null);
}

async function keyOf(question: EngineQuestion): Promise<{ key: string; installed: InstalledEngines }> {
  const { device = 'auto', threads } = question;
  const installed = readInstalledEngines();
  const manifests = await Promise.all([
    readManifest(question.detectorModelDir),
    readManifest(question.classifierModelDir),
  ]);
  const detectorSize = `${question.detectorWidth}×${question.detectorHeight}`;
  return { key: choiceKey({ manifests, detectorSize, threads, device, installed }), installed };
}

/**
 * What may run here, the likely fastest first. TensorRT only when asked for: it compiles a model for minutes.
 * `hasGpu`: whether an NVIDIA GPU is there.
 */
export function listCandidates(
  installed: InstalledEngines,
  device: EngineDevice,
  hasGpu = readNvidiaGpus().isPresent,
): EngineCandidate[] {
  const candidates: EngineCandidate[] = [];
  const add = (engine: EngineName, on: EngineDevice) => candidates.push({ engine, device: on });
  const wantsGpu = device !== 'cpu' && device !== 'wasm';
  if (installed.onnxruntime !== null && device !== 'wasm') {
    if (device === 'tensorrt' && installed.hasTensorRtProvider) add('onnxruntime', 'tensorrt');
    if (wantsGpu && installed.hasCudaProvider) add('onnxruntime', 'cuda');
    add('onnxruntime', 'cpu');
  }
  if (installed.tfjs !== null) {
    if (installed.native !== null && device !== 'wasm') {
      // A build for GPUs finds out by itself whether there is one.
      add('tfjs', wantsGpu && hasGpu ? 'cuda' : 'cpu');
    }
    add('tfjs', 'wasm');
  }
  return candidates;
}

async function measure(
  question: EngineQuestion,
  candidates: readonly EngineCandidate[],
  signal: AbortSignal | undefined,
): Promise<EngineMeasurement | null> {
  const refusals: EngineRefusal[] = [];
  const figures: EngineFigures[] = [];
  const budgetMs = MEASURE_MS / Math.max(1, candidates.length) / (AUTO_BATCH_SIZES.length + 1);
  for (const candidate of candidates) {
    try {
      figures.push(await measureOne(question, candidate, budgetMs, signal));
    } catch (error) {
      signal?.throwIfAborted();
      // No engine is to blame.
      if (error instanceof AppError && error.code === 'MODEL_NOT_FOUND') throw error;
      refusals.push({ ...candidate, reason: messageOf(error).split('\n')[0]!.slice(0, 200) });
    }
  }
  if (figures.length === 0) return null;
  return { measuredAt: new Date().toISOString(), figures: rank(figures), refusals };
}

async function measureOne(
  question: EngineQuestion,
  candidate: EngineCandidate,
  budgetMs: number,
  signal: AbortSignal | undefined,
): Promise<EngineFigures> {
  const { detectorModelDir: modelDir, detectorWidth: widthPx, detectorHeight: heightPx } = question;
  const probe = await EngineProbe.open(
    {
      ...candidate,
      threads: question.threads,
      detector: { modelDir, widthPx, heightPx },
      classifierDir: question.classifierModelDir,
    },
    signal,
  );
  try {
    if (probe.info.shortfall !== undefined) {
      await probe.close();
      throw new AppError('ENGINE_MISSING', probe.shortfall ?? probe.info.shortfall, { exitCode: 3 });
    }
    const detectMs = await probe.detectMs(budgetMs);
    let best = { batchSize: 0, msPerCrop: Number.POSITIVE_INFINITY };
    for (const batchSize of AUTO_BATCH_SIZES) {
      const msPerCrop = (await probe.classifyMs(batchSize, budgetMs)) / batchSize;
      if (msPerCrop < best.msPerCrop) best = { batchSize, msPerCrop };
    }
    const { version, device: ranOn } = probe.info;
    return { ...candidate, ranOn, version, detectMs, ...best };
  } finally {
    await probe.close();
  }
}

/** Time for a picture and its crops, ms. */
export function costMs({ detectMs, msPerCrop }: EngineFigures): number {
  return detectMs + CROPS_PER_PICTURE * msPerCrop;
}

/** The one to take first, the others by their cost. `figures` come in the order of preference. */
export function rank(figures: readonly EngineFigures[]): EngineFigures[] {
  let best = figures[0]!;
  for (const candidate of figures.slice(1))
    if (costMs(candidate) < WORTH_RATIO * costMs(best)) best = candidate;
  const others = figures.filter((candidate) => candidate !== best);
  return [best, ...others.sort((a, b) => costMs(a) - costMs(b))];
}

function toChoice(
  measurement: EngineMeasurement,
  isRemembered: boolean,
  unwritten: string | null,
): EngineChoice {
  const { figures, refusals, measuredAt } = measurement;
  const best = figures[0]!;
  const told = figures.map((one) => `${nameOf(one)} ${costMs(one).toFixed(1)} ms`).join(', ');
  const when = isRemembered ? `measured ${measuredAt.slice(0, 10)} and remembered` : 'measured now';
  const reason = [
    `auto takes the fastest, ${when}: ${told} for a picture and ${CROPS_PER_PICTURE} crops`,
    ...refusals.map(({ engine, device, reason: why }) => `${engine} (${device}) is out: ${why}`),
    ...(unwritten === null ? [] : [`this is not remembered: ${unwritten}`]),
  ].join('; ');
  return {
    engine: best.engine,
    device: best.device,
    reason,
    isGpu: ['cuda', 'tensorrt', 'tensorflow-gpu'].includes(best.ranOn),
    measurement,
  };
}

function nameOf({ engine, ranOn }: EngineFigures): string {
  return `${engine} (${ranOn})`;
}
