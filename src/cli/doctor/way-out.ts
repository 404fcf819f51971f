import type { ProviderProbe } from '../../inference/devices/probe-provider.ts';
import type { RuntimeFacts } from '../../inference/devices/runtime-facts.ts';

/** A step towards a provider that works: what for, and what is typed. */
export interface Step {
  readonly what: string;
  readonly command?: string;
}

/**
 * Where NVIDIA's libraries for CUDA come from as packages of PyPI, of NVIDIA's own making, by the major version of CUDA that
 * the provider was built for. Those that it loads only once it runs are among them.
 */
const cudaPackages: Readonly<Record<string, string>> = {
  '12': 'nvidia-cuda-runtime-cu12 nvidia-cublas-cu12 nvidia-cufft-cu12 nvidia-curand-cu12 nvidia-cuda-nvrtc-cu12 nvidia-cudnn-cu12',
  '13': '"nvidia-cuda-runtime~=13.0" "nvidia-cublas~=13.0" "nvidia-cufft~=12.0" "nvidia-curand~=10.0" "nvidia-cuda-nvrtc~=13.0" nvidia-cudnn-cu13',
};

const librariesFolder = '/opt/cuda';

/** What is to be done, in order, about a provider that does not work. */
export function wayOut(
  { provider, fault, library = '' }: ProviderProbe,
  facts: RuntimeFacts,
  needed: readonly string[],
  system: { readonly platform: string; readonly arch: string },
): Step[] {
  if (fault === 'not-compiled')
    return [
      {
        what:
          provider === 'webgpu'
            ? `ONNX Runtime for Node.js has no WebGPU for ${system.platform} ${system.arch}`
            : `ONNX Runtime for Node.js has CUDA and TensorRT for linux x64 only; this is ${system.platform} ${system.arch}`,
      },
    ];
  return provider === 'webgpu' ? webGpuSteps(fault, library) : cudaSteps(provider, fault, library, facts, needed);
}

function webGpuSteps(fault: ProviderProbe['fault'], library: string): Step[] {
  const driver = [
    {
      what: 'a Vulkan driver for AMD or Intel (Debian)',
      command: 'apt-get install --no-install-recommends mesa-vulkan-drivers',
    },
    {
      what: 'for NVIDIA the driver brings it; in a container it is asked for with NVIDIA_DRIVER_CAPABILITIES=graphics,compute,utility',
    },
  ];
  switch (fault) {
    case 'library-missing':
      return library.startsWith('libvulkan')
        ? [
            { what: 'the Vulkan loader (Debian)', command: 'apt-get install --no-install-recommends libvulkan1' },
            ...driver,
          ]
        : [{ what: `the package that holds ${library}` }];
    case 'driver-missing':
      return driver;
    case 'no-device':
    case 'software-device':
      return [
        {
          what: 'a GPU that this process may use; in a container: --device /dev/dri, and the group of /dev/dri/renderD128',
        },
        ...driver,
      ];
    default:
      return [{ what: 'another driver, or the CPU: with this one nothing is run' }];
  }
}

function cudaSteps(
  provider: ProviderProbe['provider'],
  fault: ProviderProbe['fault'],
  library: string,
  { folder, version, libraryFolder, libraries }: RuntimeFacts,
  needed: readonly string[],
): Step[] {
  const own = `libonnxruntime_providers_${provider}.so`;
  const hasOwn = libraries.includes('libonnxruntime_providers_shared.so') && libraries.includes(own);
  if (!hasOwn && provider === 'tensorrt')
    return [{ what: "what cuda misses, and the libraries of TensorRT 10 by NVIDIA's packages" }];
  if (!hasOwn)
    return [
      {
        what: 'the libraries of the provider, which the npm package leaves out: from NuGet',
        command: `node ${folder}/script/install.js --onnxruntime-node-install`,
      },
      {
        what: `or, where NuGet is not reached, from PyPI's onnxruntime-gpu ${version}, the same release (for CUDA 13)`,
        command:
          `pip download --no-deps --only-binary=:all: --python-version 3.12 --platform manylinux_2_28_x86_64 onnxruntime-gpu==${version} && ` +
          `unzip -j onnxruntime_gpu-${version}-*.whl 'onnxruntime/capi/libonnxruntime_providers_*' -d ${libraryFolder}`,
      },
      { what: 'then this command again, which says what those need' },
    ];
  if (fault === 'no-device')
    return [
      { what: 'an NVIDIA GPU that this process may use; in a container: --gpus all, and the NVIDIA container toolkit' },
    ];
  if (fault === 'driver-too-old') return [{ what: 'a newer NVIDIA driver on the host, or libraries of an older CUDA' }];
  if (fault !== 'library-missing') return [{ what: 'the CPU: with this device nothing is run' }];
  return librarySteps([...new Set([library, ...needed])]);
}

function librarySteps(missing: readonly string[]): Step[] {
  const steps: Step[] = [];
  if (missing.includes('libcuda.so.1'))
    steps.push({
      what: "NVIDIA's driver, on the host; a container gets it from there: --gpus all, and the NVIDIA container toolkit",
    });
  const trt = missing.filter((name) => name.startsWith('libnvinfer') || name.startsWith('libnvonnxparser'));
  const cuda = missing.filter((name) => name !== 'libcuda.so.1' && !trt.includes(name));
  if (cuda.length > 0) {
    const major =
      cuda.flatMap((name) => name.match(/^lib(?:cudart|cublas|cublasLt)\.so\.(\d+)$/)?.[1] ?? [])[0] ?? '12';
    const packages = cudaPackages[major];
    steps.push(
      packages === undefined
        ? { what: `the libraries of CUDA ${major} and cuDNN 9 (${cuda.join(', ')})` }
        : {
            what: `the libraries of CUDA ${major} and cuDNN 9 (${cuda.join(', ')})`,
            command: `pip install --no-deps --target ${librariesFolder} ${packages}`,
          },
      {
        what: 'and the loader told where they are',
        command: `export LD_LIBRARY_PATH=$(find ${librariesFolder} -name lib -type d | paste -sd:)`,
      },
    );
  }
  if (trt.length > 0)
    steps.push({
      what: `the libraries of TensorRT ${trt[0]?.match(/\d+$/)?.[0] ?? ''} (${trt.join(', ')}), by NVIDIA's packages`,
    });
  return steps;
}
