import type { Provider } from '../model-session.ts';
import { providerNames } from './device-provider.ts';
import type { NodeCounts } from './device-run.ts';

interface ProfileEvent {
  readonly cat?: string;
  readonly name?: string;
  readonly args?: { readonly provider?: string; readonly op_name?: string; readonly node_index?: string };
}

/**
 * Counts the nodes in a profile of ONNX Runtime, each once however often it ran. A node of a branch that was not taken did
 * not run.
 * @see https://onnxruntime.ai/docs/performance/tune-performance/profiling-tools.html
 */
export function countNodes(profile: string, provider: Provider): NodeCounts {
  const events = JSON.parse(profile) as readonly ProfileEvent[];
  const device = new Set<string>();
  const cpu = new Set<string>();
  for (const { cat, name = '', args = {} } of events) {
    if (cat !== 'Node' || args.provider === undefined || !name.endsWith('_kernel_time')) continue;
    if (args.op_name === 'MemcpyToHost' || args.op_name === 'MemcpyFromHost') continue;
    const on = provider !== 'cpu' && args.provider === providerNames[provider] ? device : cpu;
    on.add(`${args.node_index} ${name}`);
  }
  return { onDevice: device.size, onCpu: cpu.size };
}
