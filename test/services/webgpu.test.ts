import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compareTensors, deviceTolerance } from '../../src/inference/devices/compare-tensors.ts';
import { createDevices, type Devices } from '../../src/inference/devices/create-devices.ts';
import { createChildRunner } from '../../src/inference/devices/run-in-child.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { inferenceEnvironment } from '../../src/platform/config.ts';
import { captureLog } from '../support/captured-log.ts';
import {
  convolutionalGraph,
  denseGraph,
  logisticModel,
  mixedGraph,
  oneOperatorGraph,
  scattered,
} from '../support/device-graphs.ts';
import { root } from '../support/markdown-blocks.ts';
import { onnxCases } from '../support/onnx-cases.ts';

/** A Vulkan driver without a device: the path to a GPU is the real one, only slower. A missing one fails the suite. */
const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (!existsSync(driver)) {
  throw new Error(
    'SwiftShader is not installed, and the service suite does not run without it: ' +
      'apt-get install --no-install-recommends libvulkan1 chromium-common',
  );
}

const onSwiftShader = { ...inferenceEnvironment(), VK_ICD_FILENAMES: driver };
const withoutDriver = { ...inferenceEnvironment(), VK_ICD_FILENAMES: '/nowhere/driver.json' };

const open: Devices[] = [];
afterAll(() => Promise.all(open.map((devices) => devices.close())));

function devicesWith(environment: Readonly<Record<string, string>>, softwareDevices: boolean) {
  const log = captureLog();
  const devices = createDevices({ run: createChildRunner(environment), logger: log.logger, softwareDevices });
  open.push(devices);
  return { devices, warnings: () => log.lines().filter(({ level }) => level === 'warn') };
}

const software = devicesWith(onSwiftShader, true);
const webgpu = async (devices: Devices) => (await devices.probe()).find(({ provider }) => provider === 'webgpu');

describe('WebGPU on SwiftShader', () => {
  test('is found to work, by a graph whose numbers are known', async () => {
    expect(await webgpu(software.devices)).toMatchObject({ compiled: true, works: true });
  });

  test.each([
    ['a dense network', denseGraph(), { onDevice: expect.any(Number), onCpu: 0 }],
    ['a convolutional network', convolutionalGraph(), { onDevice: expect.any(Number), onCpu: 0 }],
    ['a network that ends in double precision', mixedGraph(), { onDevice: 1, onCpu: expect.any(Number) }],
  ])('equals the CPU for %s, and the report says how near and on how many nodes', async (_, candidate, nodes) => {
    const { provider, report } = await software.devices.choose(candidate, 'prefer-gpu');
    expect(provider).toBe('webgpu');
    expect(report).toEqual({
      policy: 'prefer-gpu',
      provider: 'webgpu',
      nodes,
      parity: { rows: candidate.rows, maxDifference: expect.any(Number), ...deviceTolerance },
    });
    expect(report.parity?.maxDifference).toBeLessThan(1e-5);
    expect(report.nodes?.onDevice).toBeGreaterThan(0);
    expect(software.warnings()).toEqual([]);
  });

  test.each([
    'node/test_layer_normalization_4d_axis1',
    'node/test_averagepool_2d_precomputed_same_upper',
    'node/test_batchnorm_example',
    'node/test_erf',
  ])('gives what is stored for %s', async (name) => {
    const found = onnxCases().find((each) => each.name === name);
    const [run] = found?.runs() ?? [];
    if (found === undefined || run === undefined) throw new Error(`There is no case ${name}.`);
    const ran = await createChildRunner(onSwiftShader)()(
      {
        key: name,
        artefact: found.artefact(),
        provider: 'webgpu',
        feeds: [run.inputs],
        wanted: [...run.outputs.keys()],
      },
      60_000,
    );
    if ('failure' in ran) throw new Error(ran.failure.message);
    const [outputs] = ran.outputs;
    if (outputs === undefined || typeof outputs === 'string') throw new Error(outputs);
    expect(compareTensors(run.outputs, outputs).faults).toEqual([]);
    expect(ran.nodes.onDevice).toBeGreaterThan(0);
  });
});

describe('the engine', () => {
  test('runs a model on WebGPU in a process of its own, and its report says all of it', async () => {
    const { devices } = devicesWith(onSwiftShader, true);
    const engine = createOnnxEngine({ devices, policyOf: () => 'require-gpu', limits: { environment: onSwiftShader } });
    try {
      const model = { ...logisticModel(), samples: [new Array(5).fill(0.5), new Array(5).fill(-0.25)] };
      const onDevice = await engine.load(model);
      expect(onDevice.report).toMatchObject({
        place: 'process',
        device: { policy: 'require-gpu', provider: 'webgpu', nodes: { onCpu: 0 }, parity: { rows: 2 } },
      });
      const cpu = createOnnxEngine();
      const rows = [1, 2, 3].map((seed) => Array.from(scattered(5, seed)));
      const [expected, found] = await Promise.all([
        cpu.load(model).then((loaded) => loaded.run(rows)),
        onDevice.run(rows),
      ]);
      expect(found).toEqual(expected.map((row) => row.map((value) => expect.closeTo(value, 5))));
      await cpu.close();
    } finally {
      await engine.close();
    }
  });

  test('refuses a model that requires a GPU where there is none, and runs one that prefers it on the CPU', async () => {
    const { devices } = devicesWith(withoutDriver, true);
    const limits = { environment: withoutDriver };
    const engine = createOnnxEngine({
      devices,
      policyOf: (key) => (key === 'logistic@1.0.0' ? 'require-gpu' : 'prefer-gpu'),
      limits,
    });
    try {
      await expect(engine.load(logisticModel())).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
      const loaded = await engine.load({ ...logisticModel(), key: 'other@1.0.0' });
      expect(loaded.report.device).toEqual({
        policy: 'prefer-gpu',
        provider: 'cpu',
        fallback: expect.stringContaining('webgpu: the Vulkan loader finds no driver'),
      });
    } finally {
      await engine.close();
    }
  });
});

describe('what WebGPU computes wrongly without a word', () => {
  test.each([
    // Measured on this driver: the sine of a large number is that of another.
    ['a sine of large numbers', oneOperatorGraph('Sin', [16_777_217, 3e9, 0.5]), /its numbers are not the CPU's/],
    // The logarithm of a negative number is NaN, and the logistic function of NaN is 0 there: a score.
    ['a logarithm of what may be negative', oneOperatorGraph('Log', [0.5, 1, 2]), /makes a number of output risk/],
  ])('%s is left to the CPU, loudly', async (_, candidate, reason) => {
    const { devices, warnings } = software;
    const before = warnings().length;
    const { provider, report } = await devices.choose(candidate, 'prefer-gpu');
    expect(provider).toBe('cpu');
    expect(report.fallback).toMatch(reason);
    expect(warnings().slice(before)).toMatchObject([
      { event: 'model.device-fallback', model: candidate.key, reason: report.fallback },
    ]);
    await expect(devices.choose(candidate, 'require-gpu')).rejects.toThrow(reason);
  });
});

describe('a model in double precision, as all that are shipped', () => {
  test('has no node that runs on WebGPU: the CPU runs it, and the report says why', async () => {
    const artefact = new Uint8Array(readFileSync(path.join(root, 'models/news2/1.0.0/model.onnx')));
    const feeds = new Map([['x', { type: 'float64', dims: [1, 7], data: new Float64Array(7).fill(37) } as const]]);
    const candidate = { key: 'news2@1.0.0', artefact, feeds: [feeds], rows: 1, wanted: ['scores'] };
    expect((await software.devices.choose(candidate, 'prefer-gpu')).report.fallback).toMatch(
      /webgpu: none of its \d+ nodes runs there/,
    );
  });
});

describe('a machine without a GPU', () => {
  test('is not one because a driver lets the CPU do the work: that is many times slower than the CPU', async () => {
    const { devices } = devicesWith(onSwiftShader, false);
    expect(await webgpu(devices)).toMatchObject({
      works: false,
      fault: 'software-device',
      reason: expect.stringContaining('SwiftShader'),
    });
  });

  test('says that no Vulkan driver is there; a preferred GPU becomes the CPU, a required one is refused', async () => {
    const { devices, warnings } = devicesWith(withoutDriver, true);
    const reason = 'the Vulkan loader finds no driver that it can use';
    expect(await webgpu(devices)).toMatchObject({ works: false, fault: 'driver-missing', reason });
    const { provider, report } = await devices.choose(denseGraph(), 'prefer-gpu');
    expect(provider).toBe('cpu');
    expect(report.fallback).toContain(`webgpu: ${reason}`);
    expect(warnings()).toMatchObject([{ event: 'model.device-fallback', model: 'dense@1.0.0' }]);
    await expect(devices.choose(denseGraph(), 'require-gpu')).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      message: expect.stringContaining(`webgpu: ${reason}`),
    });
  });
});
