import { describe, expect, it } from 'vitest';
import { TfjsEngine } from '../../src/inference/tfjs-engine.js';
import { describeInferenceEngine } from './inference-engine.suite.js';

const NATIVE = /^tensorflow(-gpu)?$/;
const probe = await TfjsEngine.open();
const isNative = probe.info.device !== 'wasm';

describe('InferenceEngine: TensorFlow.js, native', () => {
  // Where native TensorFlow is not set up there is nothing to hold to the contract: told by name, once.
  it.skipIf(!isNative)('is there (needs @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node)', () => {
    expect(probe.info.device).toMatch(NATIVE);
  });
});

if (isNative)
  describeInferenceEngine('TensorFlow.js, native', () => TfjsEngine.open(), {
    engine: 'tfjs',
    device: NATIVE,
  });
