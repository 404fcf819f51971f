import type { Provider } from '../model-session.ts';

/** The execution providers that run on a device. */
export type DeviceProvider = Exclude<Provider, 'cpu'>;

/**
 * In the order in which they are tried for a model. TensorRT comes after CUDA, which it needs anyway: it builds an engine
 * for each new shape while callers wait, and chooses among its kernels by a stopwatch, so that bits change between starts.
 */
export const deviceProviders: readonly DeviceProvider[] = ['cuda', 'tensorrt', 'webgpu'];

/** By the names of ONNX Runtime: `CUDAExecutionProvider`. */
export const providerNames: Readonly<Record<Provider, string>> = {
  cpu: 'CPUExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  tensorrt: 'TensorrtExecutionProvider',
  webgpu: 'WebGpuExecutionProvider',
};
