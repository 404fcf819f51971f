import { compareTensors } from './compare-tensors.ts';
import type { DeviceProvider } from './device-provider.ts';
import type { RunOnDevice } from './device-run.ts';
import { type DeviceFault, explainFailure } from './explain-failure.ts';
import { probeExpected, probeFeeds, probeGraph } from './probe-graph.ts';

/** What was learnt of a provider on this machine. */
export interface ProviderProbe {
  readonly provider: DeviceProvider;
  /** ONNX Runtime was built with it; says nothing about whether it works. */
  readonly compiled: boolean;
  /** A small graph ran on it and gave the numbers that were computed without it. */
  readonly works: boolean;
  readonly probeMs: number;
  readonly fault?: DeviceFault;
  /** Why it does not work, in plain words; part of a sentence. */
  readonly reason?: string;
  /** The file that the loader did not find. */
  readonly library?: string;
}

/**
 * Runs a small graph on a provider and compares its numbers with what they must be. Never rejects.
 * @param softwareDevices a device whose work the CPU does counts as one: for tests of what runs on devices
 */
export async function probeProvider(
  provider: DeviceProvider,
  { run, limitMs, softwareDevices }: { run: RunOnDevice; limitMs: number; softwareDevices: boolean },
): Promise<ProviderProbe> {
  const started = performance.now();
  const result = await run(
    { key: `the probe of ${provider}`, artefact: probeGraph(), provider, feeds: [probeFeeds], wanted: ['y'] },
    limitMs,
  );
  const probed = { provider, probeMs: performance.now() - started };
  if ('failure' in result) {
    const explained = explainFailure(result.failure);
    return { ...probed, compiled: explained.fault !== 'not-compiled', works: false, ...explained };
  }
  const refused = (fault: DeviceFault, reason: string): ProviderProbe => ({
    ...probed,
    compiled: true,
    works: false,
    fault,
    reason,
  });
  const [output = 'it gave no answer'] = result.outputs;
  if (typeof output === 'string') return refused('refused', output);
  const { faults } = compareTensors(probeExpected(), output);
  if (faults.length > 0) return refused('wrong-numbers', `it computes wrong numbers: ${faults.join('; ')}`);
  if (result.nodes.onDevice === 0) return refused('no-nodes', 'the nodes of the probe ran on the CPU instead');
  if (result.software !== undefined && !softwareDevices)
    return refused(
      'software-device',
      `its only driver, ${result.software}, lets the CPU do the work, many times slower`,
    );
  return { ...probed, compiled: true, works: true };
}
