import type { EngineDevice } from './engine.js';

/**
 * Since 1.29 ONNX Runtime's binaries for Linux tell Microsoft, unasked, of every session: names and hashes of models,
 * the machine, an identifier that they write below the cache folder. A watcher of cameras tells nobody.
 */
const NO_TELEMETRY = { ORT_DISABLE_TELEMETRY: '1' } as const;

/** For this process, its threads and its children; to be called in the main thread before ONNX Runtime is loaded. */
export function refuseTelemetry(): void {
  for (const [name, value] of Object.entries(NO_TELEMETRY)) process.env[name] ??= value;
}

/**
 * What native libraries read from the environment of the process, once, when they are loaded. Given to a process before
 * it starts, or set in its main thread: what a thread sets in its own copy never gets there.
 * `threads`: of one operation, 1 or more.
 */
export function nativeEnvironment(
  threads: number,
  device: EngineDevice = 'auto',
): Readonly<Record<string, string>> {
  return {
    ...NO_TELEMETRY,
    // Without it TensorFlow takes nearly all memory of the GPU.
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    // 2 = errors only.
    TF_CPP_MIN_LOG_LEVEL: '2',
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    OMP_NUM_THREADS: String(threads),
    // TensorRT compiles a model for minutes: once.
    ...(device === 'tensorrt' ? { ORT_TENSORRT_ENGINE_CACHE_ENABLE: '1' } : {}),
    // The only way to keep a TensorFlow that is built for GPUs off them.
    ...(device === 'cpu' ? { CUDA_VISIBLE_DEVICES: '-1' } : {}),
  };
}

/** Sets {@link nativeEnvironment} in this process; to be called in the main thread. What is set already stays. */
export function prepareNativeEnvironment(threads: number, device?: EngineDevice): void {
  for (const [name, value] of Object.entries(nativeEnvironment(threads, device))) process.env[name] ??= value;
}
