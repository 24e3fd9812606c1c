import { describe, it } from 'vitest';
import { TfjsEngine } from '../../src/inference/tfjs-engine.js';
import { describeInferenceEngine } from './inference-engine.suite.js';

const probe = await TfjsEngine.open();

if (probe.info.device === 'wasm') {
  describe('InferenceEngine: TensorFlow.js, native', () => {
    it.skip('same contract (needs @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node)', () => {});
  });
} else {
  describeInferenceEngine('TensorFlow.js, native', () => TfjsEngine.open(), {
    engine: 'tfjs',
    device: /^tensorflow(-gpu)?$/,
  });
}
