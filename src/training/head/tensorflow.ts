import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients of all operations, which the core alone does not.
import '@tensorflow/tfjs-layers';
import { loadNativeTensorFlow } from '../../inference/tfjs-native.js';
import { AppError } from '../../lib/errors.js';

export interface TensorFlowOptions {
  /** Default: native where it loads, else WebAssembly, else plain JavaScript. */
  readonly device?: 'wasm' | undefined;
  /** Threads of one operation of native TensorFlow. Default: one per core. */
  readonly threads?: number | undefined;
}

/**
 * Makes TensorFlow.js ready to train: on native TensorFlow, or on WebAssembly where that is missing, or on plain
 * JavaScript. Returns which: `tensorflow`, `wasm` or `cpu`. Throws `AppError` TRAIN_NO_BACKEND.
 */
export async function startTensorFlow(options: TensorFlowOptions = {}): Promise<string> {
  if (options.device !== 'wasm') {
    const { native } = await loadNativeTensorFlow({ threads: options.threads ?? availableParallelism() });
    // Two copies of the core would each have tensors that the other does not know.
    if (native?.tf.engine() === tf.engine()) return tf.getBackend();
  }
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const require = createRequire(import.meta.url);
  setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  if (await tf.setBackend('wasm').catch(() => false)) return tf.getBackend();
  await import('@tensorflow/tfjs-backend-cpu');
  if (await tf.setBackend('cpu').catch(() => false)) return tf.getBackend();
  throw new AppError('TRAIN_NO_BACKEND', 'TensorFlow.js has no backend here that can train', { exitCode: 3 });
}

/**
 * The same for whoever trains depthwise convolutions, whose gradient WebAssembly does not have and plain JavaScript takes
 * days for. Throws `AppError` TRAIN_NO_BACKEND (exit code 3) without native TensorFlow.
 */
export async function startNativeTensorFlow(options: TensorFlowOptions = {}): Promise<string> {
  const backend = await startTensorFlow(options);
  if (backend === 'tensorflow') return backend;
  throw new AppError(
    'TRAIN_NO_BACKEND',
    'training convolutions needs native TensorFlow, which does not load here',
    {
      hint: 'npx maskwatch setup tensorflow; npx maskwatch doctor says what is missing. The recipe baseline trains without it',
      exitCode: 3,
    },
  );
}
