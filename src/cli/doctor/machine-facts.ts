import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { arch, availableParallelism, platform, release, totalmem } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** What is seen of the machine from inside: a container sees only what it was given. */
export interface MachineFacts {
  /** `linux 6.1.0 x64`. */
  readonly system: string;
  readonly cores: number;
  readonly memoryMb: number;
  /** The limit that a container or a unit sets on this process, where there is one. */
  readonly memoryLimitMb?: number;
  /** By nvidia-smi: name, driver, memory. */
  readonly nvidia: readonly string[];
  /** Why nvidia-smi says nothing. */
  readonly nvidiaSilent?: string;
  /** Vendors of the display and 3D controllers on the PCI bus, on Linux. */
  readonly controllers: readonly string[];
  /** Files that register a Vulkan driver. */
  readonly vulkanDrivers: readonly string[];
}

type Environment = Readonly<Record<string, string>>;

const bytesInMb = 1_000_000;

export async function machineFacts(environment: Environment): Promise<MachineFacts> {
  const limit = process.constrainedMemory();
  const [nvidia, controllers, vulkanDrivers] = await Promise.all([
    nvidiaDevices(environment),
    pciControllers('/sys/bus/pci/devices'),
    registeredDrivers(environment),
  ]);
  return {
    system: `${platform()} ${release()} ${arch()}`,
    cores: availableParallelism(),
    memoryMb: Math.round(totalmem() / bytesInMb),
    // What is larger than the machine is no limit.
    ...(limit > 0 && limit < totalmem() ? { memoryLimitMb: Math.round(limit / bytesInMb) } : {}),
    ...nvidia,
    controllers,
    vulkanDrivers,
  };
}

async function nvidiaDevices(environment: Environment): Promise<Pick<MachineFacts, 'nvidia' | 'nvidiaSilent'>> {
  try {
    const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'];
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { env: environment, timeout: 10_000 });
    return { nvidia: linesOf(stdout) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const absent = 'code' in error && error.code === 'ENOENT';
    return { nvidia: [], nvidiaSilent: absent ? 'nvidia-smi is not installed' : (linesOf(error.message).at(-1) ?? '') };
  }
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** @see https://pci-ids.ucw.cz */
const vendors: Readonly<Record<string, string>> = { '0x10de': 'NVIDIA', '0x1002': 'AMD', '0x8086': 'Intel' };

async function pciControllers(folder: string): Promise<string[]> {
  const devices = await readdir(folder).catch(() => []); // no such folder: not Linux, or a container that hides it
  const found = await Promise.all(
    devices.map(async (device) => {
      const read = (file: string): Promise<string> =>
        readFile(path.join(folder, device, file), 'utf8').then(
          (text) => text.trim(),
          () => '', // a device may vanish while it is looked at
        );
      const [kind, vendor] = await Promise.all([read('class'), read('vendor')]);
      return kind.startsWith('0x03') ? [vendors[vendor] ?? `vendor ${vendor}`] : [];
    }),
  );
  return found.flat().sort();
}

/** @see https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md */
async function registeredDrivers(environment: Environment): Promise<string[]> {
  const named = environment.VK_DRIVER_FILES ?? environment.VK_ICD_FILENAMES;
  if (named !== undefined) return named.split(path.delimiter);
  const folders = ['/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/usr/share/vulkan/icd.d'];
  const files = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(folder).catch(() => []); // none is registered there
      return names.filter((name) => name.endsWith('.json')).map((name) => path.join(folder, name));
    }),
  );
  return files.flat();
}
