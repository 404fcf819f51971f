import { describe, expect, test } from 'vitest';
import { examine, type Patient } from '../../../src/cli/doctor/examine.ts';
import { showExamination } from '../../../src/cli/doctor/show-examination.ts';
import type { ProviderProbe } from '../../../src/inference/devices/probe-provider.ts';
import type { DevicePolicy } from '../../../src/model-catalog/engine-report.ts';

const missing: ProviderProbe = {
  provider: 'cuda',
  compiled: true,
  works: false,
  probeMs: 12,
  fault: 'library-missing',
  reason: 'the library libcudnn.so.9 is missing',
  library: 'libcudnn.so.9',
};
const works: ProviderProbe = { provider: 'webgpu', compiled: true, works: true, probeMs: 40 };

const patient = (...probes: ProviderProbe[]): Patient => ({
  environment: { PATH: '/nowhere', VK_ICD_FILENAMES: '/a.json:/b.json' },
  runtime: async () => ({ version: '1.30.0', folder: '/o', libraryFolder: '/o/x', libraries: [], compiled: ['cpu'] }),
  probe: async () => probes,
});
const want = (...policies: DevicePolicy[]) => policies.map((policy) => ({ policy, models: ['sepsis'] }));

describe('an examination', () => {
  test.each<[DevicePolicy, ProviderProbe[], boolean]>([
    ['cpu', [missing], true],
    ['prefer-gpu', [missing], true],
    ['require-gpu', [missing], false],
    ['require-gpu', [missing, works], true],
  ])('finds whether %s can be met', async (policy, probes, met) => {
    const found = await examine(patient(...probes), want(policy));
    expect(found.healthy).toBe(met);
    expect(found.policies).toMatchObject([{ policy, met, models: ['sepsis'] }]);
  });

  test('is healthy only where all that is wanted can be met', async () => {
    expect((await examine(patient(missing), want('cpu', 'require-gpu'))).healthy).toBe(false);
  });

  test('shows what is wrong, and what to do about it', async () => {
    const text = showExamination(await examine(patient(missing, works), want('prefer-gpu')));
    expect(text).toContain('cuda      does not work: the library libcudnn.so.9 is missing\n            - ');
    expect(text).toContain('webgpu    works (40 ms)');
    expect(text).toContain("prefer-gpu  can be met: webgpu runs the model, if it gives the CPU's numbers");
    expect(text).toContain('Vulkan drivers /a.json, /b.json');
    expect(text).toContain('none by NVIDIA (nvidia-smi is not installed)');
  });

  test('says so where ONNX Runtime cannot be loaded, and that no model runs', async () => {
    const broken = {
      ...patient(works),
      runtime: () => Promise.reject(new Error('libstdc++.so.6: version `GLIBCXX_3.4.29` not found')),
    };
    const found = await examine(broken, want('cpu'));
    expect(found).toMatchObject({ healthy: false, providers: [], policies: [{ met: false }] });
    expect(showExamination(found)).toContain('cannot be loaded: libstdc++.so.6: version `GLIBCXX_3.4.29` not found');
  });
});
