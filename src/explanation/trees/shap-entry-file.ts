import { fileURLToPath } from 'node:url';

/** The entry point of the thread beside this file: TypeScript as it is, or JavaScript where it was built. */
export function shapEntryFile(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./shap-entry.${extension}`, import.meta.url));
}
