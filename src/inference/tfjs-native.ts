import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { NATIVE_PACKAGES } from './engine-packages.js';
import { prepareNativeEnvironment } from './native-environment.js';

/** Native TensorFlow.js: the core's functions, its backend set, and what only the native package has. */
export type TfNative = typeof import('@tensorflow/tfjs-core') & {
  readonly loadGraphModel: typeof import('@tensorflow/tfjs-converter').loadGraphModel;
  readonly node: {
    /** Loads a SavedModel of constants; variables are not found by this binding. */
    loadSavedModel(folder: string, tags?: string[], signature?: string): Promise<TfSavedModel>;
  };
};

/** What `tf.node.loadSavedModel` gives. */
export interface TfSavedModel {
  readonly inputs: readonly { readonly name: string; readonly dtype: string }[];
  readonly outputs: readonly { readonly name: string; readonly dtype: string }[];
  predict(
    inputs: Record<string, import('@tensorflow/tfjs-core').Tensor>,
  ): Record<string, import('@tensorflow/tfjs-core').Tensor> | import('@tensorflow/tfjs-core').Tensor;
  dispose(): void;
}

export interface NativeTensorFlow {
  readonly tf: TfNative;
  readonly packageName: (typeof NATIVE_PACKAGES)[number];
  /** Of the C library, e.g. `2.21.0`. */
  readonly libraryVersion: string;
  readonly isGpu: boolean;
}

export interface NativeAttempt {
  /** null when no package loads. */
  readonly native: NativeTensorFlow | null;
  /** Why each package before the one that was taken was not, e.g. `@tensorflow/tfjs-node is not installed`. */
  readonly refusals: readonly string[];
}

/**
 * Native TensorFlow.js with its backend set: `@tensorflow/tfjs-node-gpu`, else `@tensorflow/tfjs-node`, whichever has a
 * binding that loads (`maskwatch setup tensorflow` builds it). Its tensors are those of our own `@tensorflow/tfjs-core`:
 * there is one copy of it. Never throws for a package that does not load.
 */
export async function loadNativeTensorFlow(options: { readonly threads: number }): Promise<NativeAttempt> {
  if (isMainThread) prepareNativeEnvironment(options.threads);
  const refusals: string[] = [];
  for (const packageName of NATIVE_PACKAGES) {
    try {
      return { native: await load(packageName), refusals };
    } catch (error) {
      refusals.push(`${packageName} ${shortReason(error)}`);
    }
  }
  return { native: null, refusals };
}

async function load(packageName: (typeof NATIVE_PACKAGES)[number]): Promise<NativeTensorFlow> {
  const require = createRequire(import.meta.url);
  // Gone in Node 23; the native packages, the last of their line, still call it.
  const util = require('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  const tf = require(packageName) as TfNative;
  await tf.ready();
  const backend = tf.backend() as {
    readonly isUsingGpuDevice?: boolean;
    readonly binding?: { readonly TF_Version?: string };
  };
  return {
    tf,
    packageName,
    libraryVersion: backend.binding?.TF_Version ?? tf.version_core,
    isGpu: backend.isUsingGpuDevice === true,
  };
}

/** `is not installed`, or the first line of what went wrong. */
function shortReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const first = (message.split('\n')[0] ?? '').trim();
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'MODULE_NOT_FOUND' && first.includes('@tensorflow/tfjs-node')) return 'is not installed';
  if (message.includes('native addon module')) return 'has no binding (maskwatch setup tensorflow builds it)';
  return `does not load (${first.slice(0, 160)})`;
}
