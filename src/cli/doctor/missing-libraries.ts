import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Every library that a shared library needs and the loader does not find, by `ldd`: an attempt to load it names only the
 * first. Empty where there is no ldd, or nothing is missing.
 */
export async function missingLibraries(file: string, environment: Readonly<Record<string, string>>): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)('ldd', [file], { env: environment, timeout: 10_000 });
    return notFound(stdout);
  } catch (error) {
    if (error instanceof Error) return []; // no ldd, or no library: the probe has said what is wrong
    throw error;
  }
}

/** `libcudart.so.12` of `libcudart.so.12 => not found`. */
export function notFound(ldd: string): string[] {
  return [...ldd.matchAll(/^\s*(\S+) => not found$/gm)].flatMap(([, name]) => name ?? []);
}
