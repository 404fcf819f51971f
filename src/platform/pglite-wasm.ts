import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { PGliteOptions } from '@electric-sql/pglite';

/** A `WebAssembly.Module`; threads of one process share what is compiled of it. */
export type PgliteWasm = NonNullable<PGliteOptions['pgliteWasmModule']>;

let compiled: Promise<PgliteWasm> | undefined;

/**
 * PostgreSQL as PGlite brings it, compiled once for this process: a thread that is given it starts in half the time of one that
 * compiles its own. Rejects where the file cannot be read.
 */
export function pgliteWasm(): Promise<PgliteWasm> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<PgliteWasm> {
  const folder = path.dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
  return new WebAssembly.Module(await readFile(path.join(folder, 'pglite.wasm')));
}
