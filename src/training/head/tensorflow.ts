import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients of all operations, which the core alone does not.
import '@tensorflow/tfjs-layers';
import { AppError } from '../../lib/errors.js';

/** Makes TensorFlow.js ready on WebAssembly, or on plain JavaScript where that is missing; says which. */
export async function startTensorFlow(): Promise<string> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const require = createRequire(import.meta.url);
  setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  if (await tf.setBackend('wasm').catch(() => false)) return tf.getBackend();
  await import('@tensorflow/tfjs-backend-cpu');
  if (await tf.setBackend('cpu').catch(() => false)) return tf.getBackend();
  throw new AppError('TRAIN_NO_BACKEND', 'TensorFlow.js has no backend here that can train', { exitCode: 3 });
}
