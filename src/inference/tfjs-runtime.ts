import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { EngineDevice } from './engine.js';
import { loadNativeTensorFlow, type NativeTensorFlow, type TfNative } from './tfjs-native.js';

/** What the engine uses of TensorFlow.js, whichever package it comes from. */
export interface TfRuntime {
  readonly tensor: typeof import('@tensorflow/tfjs-core').tensor;
  readonly loadGraphModel: typeof import('@tensorflow/tfjs-converter').loadGraphModel;
  /** What only native TensorFlow has; null on WebAssembly. */
  readonly native: TfNative | null;
  /** `tensorflow`, `tensorflow-gpu` or `wasm`. */
  readonly device: string;
  readonly version: string;
  /** The package that was taken, and why those before it were not. */
  readonly reason: string;
  /** What was asked for by name and is not to be had. */
  readonly shortfall?: string;
}

/**
 * TensorFlow.js on the native library for GPUs, else on the native one for CPUs, else compiled to WebAssembly.
 * `device: 'wasm'` skips the native ones. Throws when not even WebAssembly starts.
 */
export async function loadTfRuntime(options: {
  readonly device?: EngineDevice | undefined;
  /** Threads of one operation of native TensorFlow. Default 1. */
  readonly threads?: number | undefined;
}): Promise<TfRuntime> {
  const { device = 'auto' } = options;
  if (device === 'wasm') return loadWasm([]);
  const { native, refusals } = await loadNativeTensorFlow({ threads: options.threads ?? 1 });
  const runtime = native ? nativeRuntime(native, refusals) : await loadWasm(refusals);
  const isMissed =
    device === 'cuda' || device === 'tensorrt'
      ? runtime.device !== 'tensorflow-gpu'
      : device === 'cpu' && runtime.device === 'wasm';
  return isMissed ? { ...runtime, shortfall: `${device} was asked for: ${runtime.reason}` } : runtime;
}

function nativeRuntime(
  { tf, packageName, libraryVersion, isGpu }: NativeTensorFlow,
  refusals: readonly string[],
): TfRuntime {
  const on = isGpu ? 'the GPU' : 'the CPU';
  return {
    tensor: tf.tensor,
    loadGraphModel: tf.loadGraphModel,
    native: tf,
    device: isGpu ? 'tensorflow-gpu' : 'tensorflow',
    version: tf.version_core,
    reason: [`${packageName} loads, with TensorFlow ${libraryVersion} on ${on}`, ...refusals].join('; '),
  };
}

async function loadWasm(refusals: readonly string[]): Promise<TfRuntime> {
  const tf = await import('@tensorflow/tfjs-core');
  const { loadGraphModel } = await import('@tensorflow/tfjs-converter');
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  // Its own threads want a browser's workers; the pool has one engine per thread instead.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${dirname(main)}/`);
  if (!(await tf.setBackend('wasm'))) throw new Error('WebAssembly does not start');
  await tf.ready();
  return {
    tensor: tf.tensor,
    loadGraphModel,
    native: null,
    device: 'wasm',
    version: tf.version_core,
    reason: ['TensorFlow.js runs as WebAssembly', ...refusals].join('; '),
  };
}
