import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Finding } from './finding.ts';

/** How the artefact was made; the server never reads it. */
export const unreadFolder = 'training';

/**
 * Reads every file of a version folder that the server may read, by its path inside the folder (`golden/a.json`).
 * A link that leads out of the folder, or anything that is neither file nor folder, becomes a finding.
 */
export async function readModelFiles(dir: string, findings: Finding[]): Promise<Map<string, Uint8Array>> {
  const root = await realpath(dir);
  const files = new Map<string, Uint8Array>();

  const visit = async (folder: string): Promise<void> => {
    const names = (await readdir(path.join(root, folder))).sort();
    for (const name of names) {
      const file = folder === '' ? name : `${folder}/${name}`;
      if (file !== unreadFolder) await visitEntry(file);
    }
  };

  const visitEntry = async (file: string): Promise<void> => {
    const target = await realTarget(path.join(root, file));
    if (target === undefined || !isInside(root, target)) {
      findings.push({
        file,
        path: '',
        message: 'is a link that leads out of the model folder or nowhere; put the file itself there',
      });
      return;
    }
    const found = await stat(target);
    if (found.isFile()) files.set(file, await readFile(target));
    else if (found.isDirectory() && target !== path.join(root, file)) {
      findings.push({ file, path: '', message: 'is a link to a folder; put the folder itself there' });
    } else if (found.isDirectory()) await visit(file);
    else findings.push({ file, path: '', message: 'is neither a file nor a folder' });
  };

  await visit('');
  return files;
}

/** Every listed file must be there with its checksum, and nothing else may be there. */
export function checkFiles(
  files: ReadonlyMap<string, Uint8Array>,
  checksums: Readonly<Record<string, string>>,
  findings: Finding[],
): void {
  for (const [file, expected] of Object.entries(checksums)) {
    const bytes = files.get(file);
    const found = bytes === undefined ? undefined : sha256(bytes);
    if (found === undefined) {
      findings.push({ file, path: '', message: 'is missing, although manifest.json lists it in checksums' });
    } else if (found !== expected) {
      findings.push({
        file,
        path: '',
        message: `has a wrong checksum: manifest.json expects SHA-256 ${expected}, the file has ${found}`,
      });
    }
  }
  for (const file of files.keys()) {
    if (file !== 'manifest.json' && !Object.hasOwn(checksums, file)) {
      findings.push({
        file,
        path: '',
        message: 'is not listed in the checksums of manifest.json; list it or remove it',
      });
    }
  }
}

/** See ModelVersion.digest. */
export function digestOf(files: ReadonlyMap<string, Uint8Array>): string {
  const lines = [...files].map(([file, bytes]) => `${file} ${sha256(bytes)}\n`).sort();
  return sha256(Buffer.from(lines.join('')));
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function realTarget(file: string): Promise<string | undefined> {
  try {
    return await realpath(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ELOOP'))
      return undefined;
    throw error;
  }
}

function isInside(folder: string, target: string): boolean {
  const relative = path.relative(folder, target);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}
