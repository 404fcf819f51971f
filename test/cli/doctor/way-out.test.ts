import { describe, expect, test } from 'vitest';
import { notFound } from '../../../src/cli/doctor/missing-libraries.ts';
import { wayOut } from '../../../src/cli/doctor/way-out.ts';
import type { DeviceProvider } from '../../../src/inference/devices/device-provider.ts';
import type { DeviceFault } from '../../../src/inference/devices/explain-failure.ts';

const linux = { platform: 'linux', arch: 'x64' };
const bare = {
  version: '1.30.0',
  folder: '/app/node_modules/onnxruntime-node',
  libraryFolder: '/app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64',
  libraries: ['libonnxruntime.so.1'],
  compiled: ['cpu', 'webgpu', 'cuda', 'tensorrt'],
};
const withProviders = {
  ...bare,
  libraries: ['shared', 'cuda', 'tensorrt'].map((name) => `libonnxruntime_providers_${name}.so`),
};
const stepsFor = (
  provider: DeviceProvider,
  fault: DeviceFault,
  { library, needed = [], facts = bare }: { library?: string; needed?: string[]; facts?: typeof bare } = {},
): string[] => {
  const probe = { provider, fault, compiled: true, works: false, probeMs: 1, reason: 'no' };
  return wayOut({ ...probe, ...(library === undefined ? {} : { library }) }, facts, needed, linux).map(
    ({ what, command }) => (command === undefined ? what : `${what}: ${command}`),
  );
};

describe('what adds CUDA', () => {
  test('is first the libraries that the npm package leaves out, by the script of the package', () => {
    const steps = stepsFor('cuda', 'library-missing', { library: 'libonnxruntime_providers_shared.so' });
    expect(steps[0]).toMatch(
      /: node \/app\/node_modules\/onnxruntime-node\/script\/install\.js --onnxruntime-node-install$/,
    );
    expect(steps[1]).toContain('onnxruntime-gpu==1.30.0');
  });

  test.each([
    ['12', 'libcublasLt.so.12', 'nvidia-cudnn-cu12'],
    ['13', 'libcublasLt.so.13', 'nvidia-cudnn-cu13'],
  ])('is then what those need, of the CUDA that they were built for: %s', (major, library, cudnn) => {
    const needed = [library, `libcudart.so.${major}`, 'libcurand.so.10'];
    const steps = stepsFor('cuda', 'library-missing', { library, needed, facts: withProviders });
    expect(steps[0]).toContain(`CUDA ${major} and cuDNN 9 (${needed.join(', ')})`);
    expect(steps[0]).toContain(cudnn);
    expect(steps[1]).toContain('LD_LIBRARY_PATH');
  });

  test('names no package for a CUDA that is not known here', () => {
    const [step] = stepsFor('cuda', 'library-missing', { library: 'libcudart.so.14', facts: withProviders });
    expect(step).toBe('the libraries of CUDA 14 and cuDNN 9 (libcudart.so.14)');
  });

  test('is the driver of the host where that alone is missing', () => {
    const steps = stepsFor('cuda', 'library-missing', { library: 'libcuda.so.1', facts: withProviders });
    expect(steps).toEqual([expect.stringMatching(/driver, on the host.*--gpus all/)]);
  });

  test.each<[DeviceFault, RegExp]>([
    ['no-device', /--gpus all/],
    ['driver-too-old', /newer NVIDIA driver/],
    ['wrong-numbers', /the CPU/],
    ['crashed', /the CPU/],
  ])('where it is there and has %s', (fault, step) => {
    expect(stepsFor('cuda', fault, { facts: withProviders })[0]).toMatch(step);
  });
});

describe('what adds TensorRT', () => {
  test('is what CUDA needs, and its own', () => {
    expect(stepsFor('tensorrt', 'library-missing', { library: 'libonnxruntime_providers_shared.so' })).toEqual([
      expect.stringContaining('what cuda misses'),
    ]);
    const needed = ['libnvinfer.so.10', 'libnvonnxparser.so.10'];
    expect(
      stepsFor('tensorrt', 'library-missing', { library: 'libnvinfer.so.10', needed, facts: withProviders }),
    ).toEqual(["the libraries of TensorRT 10 (libnvinfer.so.10, libnvonnxparser.so.10), by NVIDIA's packages"]);
  });
});

describe('what adds WebGPU', () => {
  test('is the Vulkan loader and a driver', () => {
    const steps = stepsFor('webgpu', 'library-missing', { library: 'libvulkan.so.1' });
    expect(steps[0]).toContain('apt-get install --no-install-recommends libvulkan1');
    expect(steps[1]).toContain('mesa-vulkan-drivers');
    expect(stepsFor('webgpu', 'driver-missing')[0]).toContain('mesa-vulkan-drivers');
  });

  test.each<DeviceFault>(['no-device', 'software-device'])('is a device where it has %s', (fault) => {
    expect(stepsFor('webgpu', fault)[0]).toContain('/dev/dri');
  });

  test('is nothing where this build has none', () => {
    expect(stepsFor('webgpu', 'not-compiled')).toEqual(['ONNX Runtime for Node.js has no WebGPU for linux x64']);
    expect(stepsFor('cuda', 'not-compiled')[0]).toContain('linux x64 only');
  });
});

test('every library that ldd does not find is named', () => {
  const ldd = [
    '\tlinux-vdso.so.1 (0x00007ffc)',
    '\tlibcublasLt.so.12 => not found',
    '\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x0000)',
    '\tlibcuda.so.1 => not found',
  ].join('\n');
  expect(notFound(ldd)).toEqual(['libcublasLt.so.12', 'libcuda.so.1']);
  expect(notFound('\tnot a dynamic executable')).toEqual([]);
});
