import type { WorkerOptions } from '../../workers/protocol.js';
import { AppError } from '../lib/errors.js';
import type { EngineDevice, InferenceEngine } from './engine.js';

export type EngineName = Exclude<WorkerOptions['engine'], 'auto'>;

/** Opens one engine; rejects when this machine does not have it. The code is loaded by the call, not before. */
export type EngineOpener = (options: EngineOptions) => Promise<InferenceEngine>;

export interface EngineOptions {
  /** Of one operation. */
  readonly threads: number;
  /** Default auto. */
  readonly device?: EngineDevice | undefined;
}

/** How each engine is opened; the adapters themselves are for the composer to name. */
export type EngineOpeners = Readonly<Record<EngineName, EngineOpener>>;

/** In the order in which `auto` tries them: the faster first (docs/adr, figures in the model cards). */
const PREFERENCE: readonly EngineName[] = ['onnxruntime', 'tfjs'];

const HINTS: Readonly<Record<EngineName, string>> = {
  onnxruntime: 'run "npm ci" again, or set inference.engine to tfjs or auto',
  tfjs: 'run "npm ci" again, or set inference.engine to onnxruntime or auto',
};

/**
 * The engine to work with: the named one, or with `auto` the first of ONNX Runtime and TensorFlow.js that loads.
 * Its `info.reason` says in words why this one. Throws `AppError` ENGINE_MISSING (exit code 3) when the named one,
 * or every one, is missing.
 */
export async function selectEngine(
  preference: WorkerOptions['engine'],
  options: EngineOptions & { readonly chosenBecause?: string | undefined },
  openers: EngineOpeners,
): Promise<InferenceEngine> {
  if (preference !== 'auto') {
    try {
      return withReason(
        await openers[preference](options),
        options.chosenBecause ?? `${preference} was asked for`,
      );
    } catch (cause) {
      throw new AppError('ENGINE_MISSING', `engine ${preference} does not load: ${firstLine(cause)}`, {
        cause,
        exitCode: 3,
        hint: HINTS[preference],
      });
    }
  }
  const refusals: string[] = [];
  for (const name of PREFERENCE) {
    try {
      const engine = await openers[name](options);
      return withReason(engine, ['auto takes the fastest engine that loads', ...refusals].join('; '));
    } catch (error) {
      refusals.push(`${name} does not load (${firstLine(error)})`);
    }
  }
  throw new AppError('ENGINE_MISSING', `no inference engine loads: ${refusals.join('; ')}`, {
    exitCode: 3,
    hint: 'run "npm ci" again; ONNX Runtime needs 64-bit Linux, macOS or Windows',
  });
}

function withReason(engine: InferenceEngine, why: string): InferenceEngine {
  return {
    info: { ...engine.info, reason: `${why}: ${engine.info.reason}` },
    load: (modelDir) => engine.load(modelDir),
    close: () => engine.close(),
  };
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split('\n')[0] ?? '').slice(0, 200);
}
