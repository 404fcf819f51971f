import type { Examination } from './examine.ts';

/** An examination as text: what there is, what is missing, and what adds it. */
export function showExamination({ node, machine, runtime, runtimeFault, providers, policies }: Examination): string {
  const limit =
    machine.memoryLimitMb === undefined ? '' : `, of which this process may fill ${machine.memoryLimitMb} MB`;
  const lines = [
    'Machine',
    `  system         ${machine.system}`,
    `  cores, memory  ${machine.cores}, ${machine.memoryMb} MB${limit}`,
    `  Node.js        ${node.version} (${node.executable})`,
    runtime === undefined
      ? `  ONNX Runtime   cannot be loaded: ${runtimeFault}`
      : `  ONNX Runtime   ${runtime.version} (${runtime.folder}), built with ${runtime.compiled.join(', ')}`,
    `  GPUs           ${gpusOf(machine)}`,
    `  Vulkan drivers ${machine.vulkanDrivers.join(', ') || 'none is registered'}`,
    '',
    'Execution providers, each tried with a small graph whose numbers are known',
    ...providers.flatMap(({ provider, works, reason, probeMs, wayOut }) => [
      `  ${provider.padEnd(9)} ${works ? `works (${Math.round(probeMs)} ms)` : `does not work: ${reason}`}`,
      ...wayOut.flatMap(({ what, command }) => [
        `            - ${what}${command === undefined ? '' : ':'}`,
        ...(command === undefined ? [] : [`                ${command}`]),
      ]),
    ]),
    '',
    'Policies',
    ...policies.map(
      ({ policy, models, met, how }) =>
        `  ${policy.padEnd(11)} ${met ? 'can be met' : 'CANNOT be met'}: ${how}` +
        (models.length === 0 ? '' : ` (${models.join(', ')})`),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function gpusOf({ nvidia, nvidiaSilent, controllers }: Examination['machine']): string {
  const seen = nvidia.length > 0 ? nvidia.join('; ') : `none by NVIDIA (${nvidiaSilent ?? 'nvidia-smi lists none'})`;
  return controllers.length === 0 ? seen : `${seen}; display controllers: ${controllers.join(', ')}`;
}
