import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { loadNativeTensorFlow } from './tfjs-native.js';

/** What the engine uses of TensorFlow.js, whichever package it comes from. */
export interface TfRuntime {
  readonly tensor: typeof import('@tensorflow/tfjs-core').tensor;
  readonly loadGraphModel: typeof import('@tensorflow/tfjs-converter').loadGraphModel;
  /** `tensorflow`, `tensorflow-gpu` or `wasm`. */
  readonly device: string;
  readonly version: string;
  /** The package that was taken, and why those before it were not. */
  readonly reason: string;
}

/**
 * TensorFlow.js on the native library for GPUs, else on the native one for CPUs, else compiled to WebAssembly.
 * `device: 'wasm'` skips the native ones. Throws when not even WebAssembly starts.
 */
export async function loadTfRuntime(options: {
  readonly device?: 'wasm' | undefined;
  /** Threads of one operation of native TensorFlow. Default 1. */
  readonly threads?: number | undefined;
}): Promise<TfRuntime> {
  if (options.device === 'wasm') return loadWasm([]);
  const { native, refusals } = await loadNativeTensorFlow({ threads: options.threads ?? 1 });
  if (!native) return loadWasm(refusals);
  const { tf, packageName, libraryVersion, isGpu } = native;
  return {
    tensor: tf.tensor,
    loadGraphModel: tf.loadGraphModel,
    device: isGpu ? 'tensorflow-gpu' : 'tensorflow',
    version: tf.version_core,
    reason: [`${packageName} loads, with TensorFlow ${libraryVersion}`, ...refusals].join('; '),
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
    device: 'wasm',
    version: tf.version_core,
    reason: ['TensorFlow.js runs as WebAssembly', ...refusals].join('; '),
  };
}
