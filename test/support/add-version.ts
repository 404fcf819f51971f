import { cp } from 'node:fs/promises';
import path from 'node:path';
import { folderAt, type ModelFolder } from './model-folder.ts';

/** The same model beside `folder`, under another version. */
export async function addVersion(folder: ModelFolder, version: string): Promise<ModelFolder> {
  const id = path.basename(path.dirname(folder.dir));
  const copy = folderAt(folder.modelsDir, id, version);
  await cp(folder.dir, copy.dir, { recursive: true });
  for (const file of ['manifest.json', 'model-card.json']) {
    await copy.edit(file, (json) => {
      json.version = version;
    });
  }
  await copy.seal();
  return copy;
}
