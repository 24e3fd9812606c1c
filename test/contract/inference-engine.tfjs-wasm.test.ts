import { TfjsEngine } from '../../src/inference/tfjs-engine.js';
import { describeInferenceEngine } from './inference-engine.suite.js';

describeInferenceEngine('TensorFlow.js, WebAssembly', () => TfjsEngine.open({ device: 'wasm' }), {
  engine: 'tfjs',
  device: /^wasm$/,
});
