import { parseArgs } from 'node:util';
import { createDevices } from '../inference/devices/create-devices.ts';
import { createChildRunner } from '../inference/devices/run-in-child.ts';
import { readEngines } from '../inference/read-engines.ts';
import type { DevicePolicy } from '../model-catalog/engine-report.ts';
import { inferenceEnvironment, readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import { examine, type WantedPolicy } from './doctor/examine.ts';
import { examineImageServers } from './doctor/examine-image-servers.ts';
import { showExamination } from './doctor/show-examination.ts';
import { showImageServers } from './doctor/show-image-servers.ts';

const policies: readonly DevicePolicy[] = ['cpu', 'prefer-gpu', 'require-gpu'];

/**
 * `fhirsight doctor`: what models can be run on here, what is missing, and what adds it, and whether the servers of IMAGING_FILE
 * answer, on standard output. Nothing is installed. Without `--policy` the policies are those of ENGINES_FILE.
 * @returns 0 where every policy can be met and every image server answers, 1 where one does not
 */
export async function doctorCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false }, policy: { type: 'string', multiple: true } },
  });
  const wanted = values.policy === undefined ? await policiesOfSite() : values.policy.map(policyOf);
  const environment = inferenceEnvironment();
  // What is told by the result needs no log.
  const devices = createDevices({ run: createChildRunner(environment), logger: { event: () => undefined } });
  try {
    const examined = await examine(
      {
        environment,
        // Only here: a library that cannot be loaded is a finding.
        runtime: async () => await (await import('../inference/devices/runtime-facts.ts')).runtimeFacts(),
        probe: () => devices.probe(),
      },
      wanted,
    );
    const imageServers = await examineImageServers(readConfigFromProcess());
    const healthy = examined.healthy && imageServers.every(({ answers }) => answers);
    const found = { ...examined, healthy, imageServers };
    process.stdout.write(
      values.json
        ? `${JSON.stringify(found, undefined, 2)}\n`
        : showExamination(found) + showImageServers(imageServers),
    );
    return found.healthy ? 0 : 1;
  } finally {
    await devices.close();
  }
}

function policyOf(text: string): WantedPolicy {
  const policy = policies.find((each) => each === text);
  if (policy === undefined)
    throw new PredictionError('PARAMETER_INVALID', `--policy is one of ${policies.join(', ')}, not '${text}'.`);
  return { policy, models: [] };
}

/** Those of ENGINES_FILE with the models that want them; `cpu` for all others. */
async function policiesOfSite(): Promise<WantedPolicy[]> {
  const engines = await readEngines(readConfigFromProcess().enginesFile);
  return policies.flatMap((policy) => {
    const models = Object.entries(engines.models).flatMap(([id, { device }]) => (device === policy ? [id] : []));
    return policy === 'cpu' || models.length > 0 ? [{ policy, models }] : [];
  });
}
