import { createRequire } from 'node:module';
import { dirname } from 'node:path';

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

/** The native packages, the better first. */
const NATIVE_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

type TfNative = typeof import('@tensorflow/tfjs-core') & {
  readonly loadGraphModel: TfRuntime['loadGraphModel'];
};

/**
 * TensorFlow.js on the native library for GPUs, else on the native one for CPUs, else compiled to WebAssembly.
 * `device: 'wasm'` skips the native ones. Throws when not even WebAssembly starts.
 */
export async function loadTfRuntime(options: { readonly device?: 'wasm' | undefined }): Promise<TfRuntime> {
  const refusals: string[] = [];
  if (options.device !== 'wasm') {
    for (const name of NATIVE_PACKAGES) {
      try {
        return await loadNative(name, refusals);
      } catch (error) {
        refusals.push(`${name} ${shortReason(error)}`);
      }
    }
  }
  return loadWasm(refusals);
}

async function loadNative(name: string, refusals: readonly string[]): Promise<TfRuntime> {
  const require = createRequire(import.meta.url);
  // Gone in Node 23; the native packages, the last of their line, still call it.
  const util = require('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  const tf = require(name) as TfNative;
  await tf.ready();
  const backend = tf.backend() as { readonly isUsingGpuDevice?: boolean };
  return {
    tensor: tf.tensor,
    loadGraphModel: tf.loadGraphModel,
    device: backend.isUsingGpuDevice ? 'tensorflow-gpu' : 'tensorflow',
    version: tf.version_core,
    reason: [`${name} loads`, ...refusals].join('; '),
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

/** `is not installed`, or the first line of what went wrong. */
function shortReason(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'MODULE_NOT_FOUND') return 'is not installed';
  const message = error instanceof Error ? error.message : String(error);
  return `does not load (${(message.split('\n')[0] ?? '').slice(0, 160)})`;
}
