import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Finding } from '../model-catalog/finding.ts';
import { readModelFiles, sha256 } from '../model-catalog/read-model-files.ts';
import { PredictionError } from '../platform/errors.ts';

/**
 * `fhirsight seal`: writes the SHA-256 of every file of a version folder that the server reads into its manifest. Whoever
 * seals says that the files belong together; it checks nothing else.
 * @returns 0; 1 where a folder cannot be sealed
 */
export async function sealCommand(args: readonly string[]): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true });
  if (positionals.length === 0)
    throw new PredictionError(
      'PARAMETER_INVALID',
      'seal needs a version folder, for example: fhirsight seal models/my-model/1.0.0',
    );
  for (const folder of positionals) process.stdout.write(`${folder}: ${await sealFolder(folder)} files sealed\n`);
  return 0;
}

/** @returns how many files it holds beside the manifest. Throws MODEL_INVALID. */
async function sealFolder(folder: string): Promise<number> {
  const findings: Finding[] = [];
  const files = await readModelFiles(folder, findings).catch((cause: unknown) => {
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
    throw refused(folder, `cannot be read (${cause.code}); name a version folder`, cause);
  });
  const [first] = findings;
  if (first !== undefined) throw refused(folder, `cannot be sealed: ${first.file} ${first.message}`);
  const bytes = files.get('manifest.json');
  if (bytes === undefined) throw refused(folder, 'has no manifest.json, where the checksums are to stand');
  const checksums = [...files]
    .filter(([name]) => name !== 'manifest.json')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, content]) => [name, sha256(content)]);
  const manifest = { ...manifestIn(folder, bytes), checksums: Object.fromEntries(checksums) };
  await writeFile(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return checksums.length;
}

function manifestIn(folder: string, bytes: Uint8Array): Record<string, unknown> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refused(folder, 'has a manifest.json that is not JSON in UTF-8', cause);
  }
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest))
    throw refused(folder, 'has a manifest.json that is no JSON object');
  return manifest as Record<string, unknown>;
}

function refused(folder: string, what: string, cause?: unknown): PredictionError {
  return new PredictionError('MODEL_INVALID', `${folder} ${what}. Nothing was written.`, { cause });
}
