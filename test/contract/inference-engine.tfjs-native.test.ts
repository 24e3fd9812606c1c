import { describe, it } from 'vitest';
import { TfjsEngine } from '../../src/inference/tfjs-engine.js';
import { describeInferenceEngine } from './inference-engine.suite.js';

const probe = await TfjsEngine.open();

if (probe.info.device === 'wasm') {
  describe('InferenceEngine: TensorFlow.js, native', () => {
    // Only where native TensorFlow is not set up: the suite needs it, and its absence is told by name.
    it.skip('same contract (needs @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node)', () => {});
  });
} else {
  describeInferenceEngine('TensorFlow.js, native', () => TfjsEngine.open(), {
    engine: 'tfjs',
    device: /^tensorflow(-gpu)?$/,
  });
}
