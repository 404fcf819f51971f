import { describe, expect, test } from 'vitest';
import { explainFailure } from '../../../src/inference/devices/explain-failure.ts';

const cudaLibrary =
  '[E:onnxruntime:, provider_bridge_ort.cc:2146 Create] [ONNXRuntimeError] : 1 : FAIL : Failed to load library ' +
  '/app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so with error: ' +
  'libcudnn.so.9: cannot open shared object file: No such file or directory';

describe('why a device does not work, in plain words', () => {
  test.each([
    [
      'a library of another package that the provider needs',
      'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
      cudaLibrary,
      { fault: 'library-missing', reason: 'the library libcudnn.so.9 is missing', library: 'libcudnn.so.9' },
    ],
    [
      'the Vulkan loader is not installed',
      'Failed to get a WebGPU adapter: No supported adapters',
      "Warning: Couldn't load Vulkan: libvulkan.so.1: cannot open shared object file: No such file or directory",
      { fault: 'library-missing', reason: 'the library libvulkan.so.1 is missing', library: 'libvulkan.so.1' },
    ],
    [
      'the Vulkan loader has no driver',
      'Failed to get a WebGPU adapter: No supported adapters',
      'Warning: vkCreateInstance: Found no drivers!\nWarning: vkCreateInstance failed with VK_ERROR_INCOMPATIBLE_DRIVER',
      { fault: 'driver-missing', reason: 'the Vulkan loader finds no driver that it can use' },
    ],
    [
      'the Vulkan drivers have no device',
      'Failed to get a WebGPU adapter: No supported adapters\n',
      '',
      { fault: 'no-device', reason: 'the Vulkan drivers offer no device that WebGPU can use' },
    ],
    [
      'no card is in the machine',
      'CUDA failure 100: no CUDA-capable device is detected ; GPU=-1',
      '',
      { fault: 'no-device', reason: 'the CUDA libraries find no device' },
    ],
    [
      'the driver of the card is old',
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
      '',
      { fault: 'driver-too-old', reason: 'the NVIDIA driver is older than the CUDA libraries' },
    ],
    [
      'something that is not known here',
      'Engine 17 is\n  on strike.',
      '',
      { fault: 'refused', reason: 'Engine 17 is on strike' },
    ],
  ])('%s', (_, message, written, explained) => {
    expect(explainFailure({ kind: 'refused', message, written })).toEqual(explained);
  });

  test('a crash is told with the last line that names the fault', () => {
    const written = 'terminate called\n  what(): bad device\n    at operator() (Backend.cpp:12)\n\n';
    expect(explainFailure({ kind: 'crashed', message: 'SIGABRT', written })).toEqual({
      fault: 'crashed',
      reason: 'its process crashed (SIGABRT): what(): bad device',
    });
    expect(explainFailure({ kind: 'crashed', message: 'SIGSEGV', written: '' }).reason).toBe(
      'its process crashed (SIGSEGV)',
    );
  });

  test('an endless text is cut', () => {
    const { reason } = explainFailure({ kind: 'refused', message: 'no '.repeat(10_000), written: '' });
    expect(reason.length).toBeLessThan(310);
  });
});
