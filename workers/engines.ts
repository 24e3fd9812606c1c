import type { EngineOpeners } from '../src/inference/select-engine.js';

/** The engines that there are; only the one that is chosen is loaded. */
export const ENGINES: EngineOpeners = {
  onnxruntime: async (options) =>
    (await import('../src/inference/onnxruntime-engine.js')).OnnxRuntimeEngine.open(options),
  tfjs: async (options) => (await import('../src/inference/tfjs-engine.js')).TfjsEngine.open(options),
};
