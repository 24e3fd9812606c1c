import { OnnxRuntimeEngine } from '../../src/inference/onnxruntime-engine.js';
import { describeInferenceEngine } from './inference-engine.suite.js';

describeInferenceEngine('ONNX Runtime', () => OnnxRuntimeEngine.open({ threads: 1 }), {
  engine: 'onnxruntime',
  device: /^(cpu|cuda)$/,
});
