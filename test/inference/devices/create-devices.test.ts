import { describe, expect, test } from 'vitest';
import { createDevices } from '../../../src/inference/devices/create-devices.ts';
import type { DeviceRunFailure, DeviceRunResult, RunOnDevice } from '../../../src/inference/devices/device-run.ts';
import { probeExpected } from '../../../src/inference/devices/probe-graph.ts';
import type { Provider } from '../../../src/inference/model-session.ts';
import type { Tensors } from '../../../src/model-catalog/tensor.ts';
import { captureLog } from '../../support/captured-log.ts';

const risks = (...values: number[]): Tensors =>
  new Map([['risk', { type: 'float32', dims: [values.length], data: Float32Array.from(values) }]]);
const candidate = {
  key: 'sepsis@1.0.0',
  artefact: Uint8Array.of(),
  feeds: [new Map()],
  rows: 2,
  wanted: ['risk'],
};
const missing = (library: string): DeviceRunResult =>
  failed('refused', 'no', `${library}: cannot open shared object file`);
const failed = (kind: DeviceRunFailure['kind'], message: string, written = ''): DeviceRunResult => ({
  failure: { kind, message, written },
});
const ran = (outputs: Tensors, onDevice = 3, onCpu = 0): DeviceRunResult => ({
  outputs: [outputs],
  nodes: { onDevice, onCpu },
});
const probed = ran(probeExpected());
const onCpu = ran(risks(0.25, 0.5), 0, 3);

/** A machine: what each provider answers to the probe, and what to the model. */
type Machine = Partial<Record<Provider, { readonly probe: DeviceRunResult; readonly model?: DeviceRunResult }>>;

function devicesOf(machine: Machine) {
  const asked: string[] = [];
  const run: RunOnDevice = async ({ key, provider }) => {
    const what = key === candidate.key ? 'model' : 'probe';
    asked.push(`${provider} ${what}`);
    if (provider === 'cpu') return machine.cpu?.model ?? onCpu;
    return machine[provider]?.[what] ?? missing('libnothing.so.1');
  };
  const log = captureLog();
  const devices = createDevices({ logger: log.logger, run: () => run });
  return { devices, asked, events: () => log.lines().map(({ event }) => event), log };
}

describe('the policy cpu', () => {
  test('probes nothing', async () => {
    const { devices, asked } = devicesOf({});
    expect(await devices.choose(candidate, 'cpu')).toEqual({
      provider: 'cpu',
      report: { policy: 'cpu', provider: 'cpu' },
    });
    expect(asked).toEqual([]);
  });
});

describe('a provider that works and gives the numbers of the CPU', () => {
  test('runs the model, and the report says on how many nodes and how far it was off', async () => {
    const { devices, log } = devicesOf({ webgpu: { probe: probed, model: ran(risks(0.25, 0.500_1), 5, 2) } });
    const { provider, report } = await devices.choose(candidate, 'prefer-gpu');
    expect(provider).toBe('webgpu');
    expect(report).toEqual({
      policy: 'prefer-gpu',
      provider: 'webgpu',
      nodes: { onDevice: 5, onCpu: 2 },
      parity: { rows: 2, maxDifference: expect.closeTo(1e-4, 6), absolute: 1e-4, relative: 1e-3 },
    });
    expect(log.lines().filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('is CUDA before TensorRT and WebGPU where all work', async () => {
    const works = { probe: probed, model: ran(risks(0.25, 0.5)) };
    const { devices, asked } = devicesOf({ cuda: works, tensorrt: works, webgpu: works });
    expect((await devices.choose(candidate, 'require-gpu')).provider).toBe('cuda');
    expect(asked).toEqual(['cuda probe', 'tensorrt probe', 'webgpu probe', 'cpu model', 'cuda model']);
  });

  test('is probed once, however many models ask', async () => {
    const { devices, asked } = devicesOf({ webgpu: { probe: probed, model: ran(risks(0.25, 0.5)) } });
    await Promise.all([devices.choose(candidate, 'prefer-gpu'), devices.choose(candidate, 'prefer-gpu')]);
    expect(asked.filter((each) => each.endsWith('probe'))).toHaveLength(3);
  });
});

const faults: readonly (readonly [string, Machine, string])[] = [
  ['no provider works', {}, 'webgpu: the library libnothing.so.1 is missing'],
  [
    'the device computes other numbers: a wrong score must not be a fast one',
    { webgpu: { probe: probed, model: ran(risks(0.25, 0.9)) } },
    "webgpu: its numbers are not the CPU's: output risk differs by 0.400 (2 rows; allowed is 0.0001 + 0.001 of the number)",
  ],
  [
    'the device gives NaN for a score',
    { webgpu: { probe: probed, model: ran(risks(0.25, Number.NaN)) } },
    'not finite on one of the two alone',
  ],
  [
    'the device leaves rows out',
    { webgpu: { probe: probed, model: ran(risks(0.25)) } },
    'output risk has another type or shape',
  ],
  [
    'the device gives no answer to some of what it was asked',
    { webgpu: { probe: probed, model: { outputs: [], nodes: { onDevice: 3, onCpu: 0 } } } },
    'webgpu: it gave no answer',
  ],
  [
    'the run fails there',
    { webgpu: { probe: probed, model: { outputs: ['out of device memory'], nodes: { onDevice: 3, onCpu: 0 } } } },
    'webgpu: out of device memory',
  ],
  [
    'the samples fail on the CPU',
    {
      cpu: { probe: probed, model: { outputs: ['index out of range'], nodes: { onDevice: 0, onCpu: 3 } } },
      webgpu: { probe: probed, model: ran(risks(0.25, 0.5)) },
    },
    'webgpu: the CPU fails on the samples: index out of range',
  ],
  [
    'the run of the probe fails',
    { webgpu: { probe: { outputs: ['lost device'], nodes: { onDevice: 0, onCpu: 0 } } } },
    'webgpu: lost device',
  ],
  [
    'no node lands on the device',
    { webgpu: { probe: probed, model: ran(risks(0.25, 0.5), 0, 7) } },
    'webgpu: none of its 7 nodes runs there',
  ],
  [
    'the probe gives wrong numbers',
    { webgpu: { probe: ran(new Map([['y', { type: 'float32', dims: [1, 3], data: Float32Array.of(1, 2, 3) }]])) } },
    'webgpu: it computes wrong numbers: output y differs by',
  ],
  ['the probe ran on the CPU', { webgpu: { probe: ran(probeExpected(), 0, 3) } }, 'ran on the CPU instead'],
  [
    'the driver lets the CPU do the work',
    { webgpu: { probe: { ...probed, software: 'llvmpipe' } } },
    'webgpu: its only driver, llvmpipe, lets the CPU do the work',
  ],
  ['the probe crashes', { webgpu: { probe: failed('crashed', 'SIGSEGV') } }, 'its process crashed (SIGSEGV)'],
  [
    'the model crashes there',
    { webgpu: { probe: probed, model: failed('crashed', 'SIGABRT', 'out of device memory') } },
    'its process crashed (SIGABRT): out of device memory',
  ],
  [
    'the model never comes back there',
    { webgpu: { probe: probed, model: failed('timed-out', 'no answer within 300000 ms') } },
    'no answer within 300000 ms',
  ],
  [
    'ONNX Runtime was built without it',
    { webgpu: { probe: failed('not-compiled', 'this build of ONNX Runtime has only cpu') } },
    'webgpu: this build of ONNX Runtime has only cpu',
  ],
  [
    'the CPU cannot run it, so that nothing says what is right',
    { cpu: { probe: probed, model: failed('refused', 'NOT_IMPLEMENTED') }, webgpu: { probe: probed, model: onCpu } },
    'there is nothing to compare with: NOT_IMPLEMENTED',
  ],
];

describe.each(faults)('where %s', (_, machine, reason) => {
  test('a preferred GPU becomes the CPU, in the report and in the log', async () => {
    const { devices, log } = devicesOf(machine);
    const choice = await devices.choose(candidate, 'prefer-gpu');
    expect(choice).toEqual({
      provider: 'cpu',
      report: { policy: 'prefer-gpu', provider: 'cpu', fallback: expect.stringContaining(reason) },
    });
    expect(log.lines().filter(({ level }) => level === 'warn')).toMatchObject([
      { event: 'model.device-fallback', model: 'sepsis@1.0.0', reason: choice.report.fallback },
    ]);
  });

  test('a required GPU is refused with the reason and the way out', async () => {
    const { devices, events } = devicesOf(machine);
    const refused = devices.choose(candidate, 'require-gpu');
    await expect(refused).rejects.toMatchObject({ name: 'PredictionError', code: 'MODEL_NOT_READY' });
    await expect(refused).rejects.toThrow(reason);
    await expect(refused).rejects.toThrow('fhirsight doctor');
    expect(events()).not.toContain('model.device-fallback');
  });
});

describe('a device that computes other numbers for a model', () => {
  test('leaves it to the next that does not', async () => {
    const { devices } = devicesOf({
      cuda: { probe: probed, model: ran(risks(0.25, 0.9)) },
      webgpu: { probe: probed, model: ran(risks(0.25, 0.5)) },
    });
    expect(await devices.choose(candidate, 'require-gpu')).toMatchObject({ provider: 'webgpu' });
  });
});

describe('a device that makes a number of what is none', () => {
  const nothing = risks(Number.NaN, 0.5);
  const withStrain = (samples: Tensors, strained: Tensors | string, onDevice: number): DeviceRunResult => ({
    outputs: [samples, strained, strained, strained, strained],
    nodes: { onDevice, onCpu: 3 - onDevice },
  });
  const machineWith = (cpu: Tensors | string, webgpu: Tensors | string): Machine => ({
    cpu: { probe: probed, model: withStrain(risks(0.25, 0.5), cpu, 0) },
    webgpu: { probe: probed, model: withStrain(risks(0.25, 0.5), webgpu, 3) },
  });

  test('does not run the model: a score must not come of NaN', async () => {
    const { devices } = devicesOf(machineWith(nothing, risks(0, 0.5)));
    expect((await devices.choose(candidate, 'prefer-gpu')).report.fallback).toContain(
      'webgpu: it makes a number of output risk where the CPU finds that there is none',
    );
  });

  test.each([
    ['keeps it', nothing, nothing],
    ['finds other numbers for values that nobody has', risks(1e9, 0.5), risks(1e8, 0.5)],
    ['fails where the CPU does', 'no', 'no'],
    ['has none where the CPU has one, which is refused at run time', risks(1, 0.5), nothing],
  ])('is not one that %s', async (_, cpu, webgpu) => {
    const { devices } = devicesOf(machineWith(cpu, webgpu));
    expect(await devices.choose(candidate, 'require-gpu')).toMatchObject({ provider: 'webgpu' });
  });

  test('is expected of WebGPU where the model takes NaN for a missing value: the CPU runs it', async () => {
    const works = { probe: probed, model: ran(risks(0.25, 0.5)) };
    const missingness = { ...candidate, acceptsNaN: true };
    const { devices, asked } = devicesOf({ webgpu: works });
    expect((await devices.choose(missingness, 'prefer-gpu')).report.fallback).toContain(
      'takes NaN for a missing value',
    );
    expect(asked).not.toContain('webgpu model');
    expect(await devicesOf({ cuda: works }).devices.choose(missingness, 'require-gpu')).toMatchObject({
      provider: 'cuda',
    });
  });
});

describe('devices that are closed', () => {
  test('choose no more, and say why', async () => {
    const { devices, events } = devicesOf({ webgpu: { probe: probed, model: ran(risks(0.25, 0.9)) } });
    await devices.close();
    await expect(devices.choose(candidate, 'prefer-gpu')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await expect(devices.choose(candidate, 'require-gpu')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(events()).toEqual([]);
  });
});
