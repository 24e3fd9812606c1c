import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { io } from '@tensorflow/tfjs-core';
import { frozenSavedModel } from './frozen-saved-model.js';
import type { TfNative, TfSavedModel } from './tfjs-native.js';

/**
 * Loads a graph model into native TensorFlow as a frozen SavedModel. TensorFlow reads SavedModels from a folder
 * only, so one is written among the temporary files and removed as soon as it is read. Inputs and outputs keep
 * their names. Rejects with `AppError` MODEL_INVALID, a file system's error, or TensorFlow's.
 */
export async function loadFrozen(tf: TfNative, artifacts: io.ModelArtifacts): Promise<TfSavedModel> {
  const folder = await mkdtemp(join(tmpdir(), 'maskwatch-saved-model-'));
  try {
    await writeFile(join(folder, 'saved_model.pb'), frozenSavedModel(artifacts));
    return await tf.node.loadSavedModel(folder, ['serve'], 'serving_default');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
