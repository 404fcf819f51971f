import { fileURLToPath } from 'node:url';

/** The entry point of the threads beside this file: TypeScript as it is, or JavaScript where it was built. */
export function pixelEntryFile(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./pixel-entry.${extension}`, import.meta.url));
}
