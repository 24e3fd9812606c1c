import type { EngineOpeners } from '../src/inference/select-engine.js';

/** The engines that there are; only the one that is chosen is loaded. */
export const ENGINES: EngineOpeners = {
  onnxruntime: async ({ threads }) =>
    (await import('../src/inference/onnxruntime-engine.js')).OnnxRuntimeEngine.open({ threads }),
  tfjs: async () => (await import('../src/inference/tfjs-engine.js')).TfjsEngine.open(),
};
