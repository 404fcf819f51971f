import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { describeInferenceEngine } from '../contract/inference-engine.ts';

describeInferenceEngine('ONNX Runtime, models tried in this thread', () => createOnnxEngine());

describeInferenceEngine('ONNX Runtime, models tried and run in processes', () =>
  createOnnxEngine({ triesApart: true, isIsolated: () => true }),
);
