import type { DevicePolicy, DeviceReport } from '../../model-catalog/engine-report.ts';
import type { Tensors } from '../../model-catalog/tensor.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { Provider } from '../model-session.ts';
import { compareTensors, deviceTolerance, inventedNumbers } from './compare-tensors.ts';
import type { DeviceProvider } from './device-provider.ts';
import type { DeviceRun, RunOnDevice } from './device-run.ts';
import { explainFailure } from './explain-failure.ts';
import type { ProviderProbe } from './probe-provider.ts';
import { strainedFeeds } from './strained-feeds.ts';

/** A graph, and what it is tried with. */
export interface DeviceCandidate {
  /** `id@version`, for messages. */
  readonly key: string;
  readonly artefact: Uint8Array;
  /** Each is run on the CPU and on the device: a row alone and several together, for one. At least one. */
  readonly feeds: readonly Tensors[];
  /** How many rows `feeds` hold in all. */
  readonly rows: number;
  readonly wanted: readonly string[];
  /** The model takes NaN for a value that is missing on purpose. */
  readonly acceptsNaN?: boolean;
}

export interface DeviceChoice {
  readonly provider: Provider;
  readonly report: DeviceReport;
}

interface Parts {
  readonly run: RunOnDevice;
  readonly limitMs: number;
}

/**
 * Finds the first provider that works here, runs at least one node of the graph, and gives the CPU's numbers for the same
 * rows; the CPU where there is none and that is allowed.
 * @param probes in the order of preference
 * Throws MODEL_NOT_READY where the policy requires a GPU and no provider will do.
 */
export async function chooseDevice(
  candidate: DeviceCandidate,
  policy: Exclude<DevicePolicy, 'cpu'>,
  { probes, ...parts }: Parts & { readonly probes: readonly ProviderProbe[] },
): Promise<DeviceChoice> {
  const reasons = probes.flatMap(({ provider, works, reason }) => (works ? [] : [`${provider}: ${reason}`]));
  const working = probes.flatMap(({ provider, works }) => (works ? [provider] : []));
  const tried = { ...candidate, feeds: [...candidate.feeds, ...candidate.feeds.slice(0, 1).flatMap(strainedFeeds)] };
  const reference = working.length === 0 ? undefined : await runOn(tried, 'cpu', parts);
  for (const provider of working) {
    const found = await tryOn(tried, candidate.feeds.length, provider, reference, parts);
    if (typeof found === 'string') reasons.push(`${provider}: ${found}`);
    else return { provider, report: { policy, provider, ...found } };
  }
  const fallback = reasons.join('; ');
  if (policy === 'require-gpu') {
    throw new PredictionError(
      'MODEL_NOT_READY',
      `${candidate.key} requires a GPU, and none will do here (${fallback}). 'fhirsight doctor' says what is missing and ` +
        'how it is added; with the policy prefer-gpu or cpu the CPU runs the model.',
    );
  }
  return { provider: 'cpu', report: { policy, provider: 'cpu', fallback } };
}

/** @returns what the report says, or why the provider will not do for this graph */
async function tryOn(
  candidate: DeviceCandidate,
  samples: number,
  provider: DeviceProvider,
  reference: DeviceRun | string | undefined,
  parts: Parts,
): Promise<Pick<Required<DeviceReport>, 'nodes' | 'parity'> | string> {
  if (provider === 'webgpu' && candidate.acceptsNaN === true)
    return 'the model takes NaN for a missing value, which WebGPU may take for any number';
  if (reference === undefined || typeof reference === 'string')
    return `the CPU cannot run it, so that there is nothing to compare with: ${reference}`;
  const ran = await runOn(candidate, provider, parts);
  if (typeof ran === 'string') return ran;
  if (ran.nodes.onDevice === 0) return `none of its ${ran.nodes.onCpu} nodes runs there`;
  let maxDifference = 0;
  for (const [index, expected] of reference.outputs.entries()) {
    const actual = ran.outputs[index] ?? 'it gave no answer';
    if (index < samples) {
      if (typeof expected === 'string') return `the CPU fails on the samples: ${expected}`;
      if (typeof actual === 'string') return actual;
      const compared = compareTensors(expected, actual);
      if (compared.faults.length > 0) return notTheSame(compared.faults, candidate.rows);
      maxDifference = Math.max(maxDifference, compared.maxDifference);
    } else if (typeof expected !== 'string' && typeof actual !== 'string') {
      const invented = inventedNumbers(expected, actual);
      if (invented.length > 0)
        return `it makes a number of output ${invented.join(', ')} where the CPU finds that there is none (NaN or infinity)`;
    }
  }
  return { nodes: ran.nodes, parity: { rows: candidate.rows, maxDifference, ...deviceTolerance } };
}

function notTheSame(faults: readonly string[], rows: number): string {
  const { absolute, relative } = deviceTolerance;
  return `its numbers are not the CPU's: ${faults.join('; ')} (${rows} rows; allowed is ${absolute} + ${relative} of the number)`;
}

async function runOn(
  { key, artefact, feeds, wanted }: DeviceCandidate,
  provider: Provider,
  { run, limitMs }: Parts,
): Promise<DeviceRun | string> {
  const result = await run({ key, artefact, provider, feeds, wanted }, limitMs);
  return 'failure' in result ? explainFailure(result.failure).reason : result;
}
