import { fileURLToPath } from 'node:url';

/** The file of an entry point beside this one: TypeScript as it is, or JavaScript where it was built. */
export function entryFile(name: 'thread-entry' | 'process-entry'): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./${name}.${extension}`, import.meta.url));
}
