import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { PredictionError } from '../platform/errors.ts';
import { unreadFolder } from './read-model-files.ts';

/**
 * `<id>/<version>`, sorted; an `<id>` that cannot be read or holds no version stands for itself, to be refused.
 * Names that start with a dot belong to the file system or to version control.
 * Throws CONFIG_INVALID where `modelsDir` cannot be read or holds no folder.
 */
export async function versionFolders(modelsDir: string): Promise<string[]> {
  const ids = await subfolders(modelsDir).catch((cause: unknown) => {
    throw new PredictionError(
      'CONFIG_INVALID',
      `MODELS_DIR ${modelsDir} cannot be read as a folder; set MODELS_DIR to a folder that holds <model>/<version>/manifest.json.`,
      { cause },
    );
  });
  if (ids.length === 0) {
    throw new PredictionError(
      'CONFIG_INVALID',
      `MODELS_DIR ${modelsDir} holds no model; put one there as <model>/<version>/manifest.json or set MODELS_DIR to another folder.`,
    );
  }
  const folders = await Promise.all(
    ids.map(async (id) => {
      // What cannot be listed has no versions, and is refused by its name when it is read.
      const versions = await subfolders(path.join(modelsDir, id)).catch(() => []);
      return versions.length === 0 ? [id] : versions.map((version) => `${id}/${version}`);
    }),
  );
  return folders.flat();
}

/** Folders and links; a plain file beside them (a README, for one) is none. */
async function subfolders(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}

/**
 * What tells without reading a file whether a folder may have been changed: names, sizes, places and times of change of
 * all that the server reads. Undefined where it cannot be told.
 */
export async function folderMark(dir: string): Promise<string | undefined> {
  try {
    const entries = await readdir(dir, { withFileTypes: true, recursive: true });
    const files = entries
      .map((entry) => path.join(entry.parentPath, entry.name))
      .filter((file) => path.relative(dir, file).split(path.sep)[0] !== unreadFolder)
      .sort();
    const lines = await Promise.all(
      files.map(async (file) => {
        const { size, ino, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
        return `${path.relative(dir, file)} ${size} ${ino} ${mtimeNs} ${ctimeNs}`;
      }),
    );
    return createHash('sha256').update(lines.join('\n')).digest('hex');
  } catch {
    return undefined; // it is read then, which says what is wrong with it
  }
}
