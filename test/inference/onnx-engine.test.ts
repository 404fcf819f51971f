import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { describeInferenceEngine } from '../contract/inference-engine.ts';

describeInferenceEngine('ONNX Runtime', createOnnxEngine);
