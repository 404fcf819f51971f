import path from 'node:path';
import type { DeviceRunFailure } from './device-run.ts';

/** What is wrong with a provider, in kinds that each have a way out of their own. */
export type DeviceFault =
  | 'not-compiled'
  | 'library-missing'
  | 'driver-missing'
  | 'driver-too-old'
  | 'no-device'
  | 'software-device'
  | 'wrong-numbers'
  | 'no-nodes'
  | 'refused'
  | 'crashed'
  | 'timed-out'
  | 'not-started';

export interface ExplainedFailure {
  readonly fault: DeviceFault;
  /** In plain words; part of a sentence. */
  readonly reason: string;
  /** The file that the loader did not find. */
  readonly library?: string;
}

const longestReason = 300;

/**
 * What a loader, a driver or ONNX Runtime says where a device does not work, in plain words. The texts are those of glibc,
 * of the Vulkan loader and Dawn, and of the CUDA runtime; another text is passed on as it is.
 */
export function explainFailure({ kind, message, written }: DeviceRunFailure): ExplainedFailure {
  if (kind === 'crashed') return { fault: 'crashed', reason: `its process crashed (${message})${lastWords(written)}` };
  if (kind !== 'refused') return { fault: kind, reason: message };
  const text = `${message}\n${written}`;
  const [, missing] = text.match(/(\S+\.(?:so|dylib|dll)[.\d]*): cannot open shared object file/) ?? [];
  if (missing !== undefined) {
    const library = path.basename(missing);
    return { fault: 'library-missing', reason: `the library ${library} is missing`, library };
  }
  if (/found no drivers|VK_ERROR_INCOMPATIBLE_DRIVER/i.test(text))
    return { fault: 'driver-missing', reason: 'the Vulkan loader finds no driver that it can use' };
  if (/driver version is insufficient|cudaErrorInsufficientDriver/i.test(text))
    return { fault: 'driver-too-old', reason: 'the NVIDIA driver is older than the CUDA libraries' };
  if (/no CUDA-capable device|cudaErrorNoDevice/i.test(text))
    return { fault: 'no-device', reason: 'the CUDA libraries find no device' };
  if (/no supported adapters/i.test(text))
    return { fault: 'no-device', reason: 'the Vulkan drivers offer no device that WebGPU can use' };
  return { fault: 'refused', reason: shortened(message) };
}

/** The last line that the process wrote about itself. */
function lastWords(written: string): string {
  const line = written
    .split('\n')
    .map((text) => text.trim())
    .filter((text) => text !== '' && !text.startsWith('at '))
    .at(-1);
  return line === undefined ? '' : `: ${shortened(line)}`;
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim().replace(/\.$/, '');
  return line.length > longestReason ? `${line.slice(0, longestReason)}…` : line;
}
