import path from 'node:path';
import type { ProviderProbe } from '../../inference/devices/probe-provider.ts';
import type { RuntimeFacts } from '../../inference/devices/runtime-facts.ts';
import type { DevicePolicy } from '../../model-catalog/engine-report.ts';
import { type MachineFacts, machineFacts } from './machine-facts.ts';
import { missingLibraries } from './missing-libraries.ts';
import { type Step, wayOut } from './way-out.ts';

/** All that `fhirsight doctor` found; `--json` prints it as it is. */
export interface Examination {
  /** Every wanted policy can be met. */
  readonly healthy: boolean;
  readonly node: { readonly version: string; readonly executable: string };
  readonly machine: MachineFacts;
  /** Absent where ONNX Runtime cannot be loaded. */
  readonly runtime?: RuntimeFacts;
  /** Why it cannot. */
  readonly runtimeFault?: string;
  readonly providers: readonly (ProviderProbe & { readonly wayOut: readonly Step[] })[];
  readonly policies: readonly (WantedPolicy & { readonly met: boolean; readonly how: string })[];
}

export interface WantedPolicy {
  readonly policy: DevicePolicy;
  /** Ids of those that want it; empty where none is named. */
  readonly models: readonly string[];
}

/** What an examination asks; the real ones are those of this machine. */
export interface Patient {
  readonly environment: Readonly<Record<string, string>>;
  /** Throws where ONNX Runtime cannot be loaded. */
  runtime(): Promise<RuntimeFacts>;
  probe(): Promise<readonly ProviderProbe[]>;
}

export async function examine(patient: Patient, wanted: readonly WantedPolicy[]): Promise<Examination> {
  const { environment } = patient;
  const machine = await machineFacts(environment);
  const node = { version: process.version, executable: process.execPath };
  let runtime: RuntimeFacts;
  try {
    runtime = await patient.runtime();
  } catch (error) {
    const runtimeFault = error instanceof Error ? error.message : String(error);
    const policies = wanted.map((each) => ({ ...each, met: false, how: 'no model runs without ONNX Runtime' }));
    return { healthy: false, node, machine, runtimeFault, providers: [], policies };
  }
  const providers: (ProviderProbe & { wayOut: Step[] })[] = [];
  for (const probe of await patient.probe()) {
    const file = path.join(runtime.libraryFolder, `libonnxruntime_providers_${probe.provider}.so`);
    const needed = probe.fault === 'library-missing' ? await missingLibraries(file, environment) : [];
    providers.push({ ...probe, wayOut: probe.works ? [] : wayOut(probe, runtime, needed, process) });
  }
  const policies = wanted.map((each) => ({ ...each, ...verdictOn(each.policy, providers) }));
  return { healthy: policies.every(({ met }) => met), node, machine, runtime, providers, policies };
}

function verdictOn(policy: DevicePolicy, probes: readonly ProviderProbe[]): { met: boolean; how: string } {
  const works = probes.find((probe) => probe.works);
  if (policy === 'cpu') return { met: true, how: 'the CPU runs the model' };
  if (works !== undefined)
    return { met: true, how: `${works.provider} runs the model, if it gives the CPU's numbers for its samples` };
  return policy === 'prefer-gpu'
    ? { met: true, how: 'no GPU works: the CPU runs the model, and its report says so' }
    : { met: false, how: 'no GPU works: the model is refused' };
}
