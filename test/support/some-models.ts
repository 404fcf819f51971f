import { createHash } from 'node:crypto';
import { cp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { keptFolder } from './kept-folder.ts';
import { shippedModels } from './model-folder.ts';

/** A models folder with some of the shipped models: each model that is loaded costs a start a tenth of a second of work. */
export async function someModels(ids: readonly string[]): Promise<string> {
  const digest = createHash('sha256');
  for (const id of ids) {
    const found = await readdir(path.join(shippedModels, id), { recursive: true, withFileTypes: true });
    const files = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
    for (const file of files.sort()) digest.update(file).update(await readFile(file));
  }
  return await keptFolder('models', digest.digest('hex').slice(0, 16), async (folder) => {
    for (const id of ids) await cp(path.join(shippedModels, id), path.join(folder, id), { recursive: true });
  });
}
