import type { EngineInfo } from '../../workers/protocol.js';

/**
 * What an engine computes on: `cuda` and `tensorrt` are NVIDIA GPUs, `wasm` is TensorFlow.js as WebAssembly; `auto` is
 * the best that starts. One that is not to be had is replaced, and `EngineInfo.shortfall` says so.
 */
export type EngineDevice = 'auto' | 'cpu' | 'cuda' | 'tensorrt' | 'wasm';

/** A dense tensor in row-major order. `data` may be reused by its owner after the call it was given to. */
export interface Tensor {
  readonly data: Float32Array | Uint8Array;
  readonly shape: readonly number[];
}

/**
 * A loaded model. Inputs and outputs are named as in the model's manifest (`models/NAME/manifest.json`),
 * in the manifest's layout, whatever layout the engine works in.
 */
export interface LoadedModel {
  /**
   * Runs the model once. Inputs stay the caller's; they are not kept. Outputs are the caller's.
   * Throws `AppError` INFERENCE_FAILED (retryable) or INFERENCE_BAD_INPUT.
   */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor & { data: Float32Array }>>;
  close(): Promise<void>;
}

/**
 * A runtime that executes models. Two adapters: ONNX Runtime and TensorFlow.js; both give the same scores on
 * the same inputs within 1e-3. Only ever used inside a worker thread: `run` may block its thread.
 */
export interface InferenceEngine {
  readonly info: EngineInfo;
  /** `modelDir` holds `manifest.json`. Throws `AppError` MODEL_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED. */
  load(modelDir: string): Promise<LoadedModel>;
  close(): Promise<void>;
}
