import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** The models that are shipped. */
export const shippedModels = path.resolve(import.meta.dirname, '../../models');

/** A models folder of its own with a copy of one shipped model, to be broken. */
export interface ModelFolder {
  readonly modelsDir: string;
  /** The version folder. */
  readonly dir: string;
  /** Changes one JSON file in place. */
  // biome-ignore lint/suspicious/noExplicitAny: a test breaks JSON in ways that no type of it allows
  edit(file: string, change: (json: any) => void): Promise<void>;
  write(file: string, content: string | Uint8Array): Promise<void>;
  remove(file: string): Promise<void>;
  /** Makes the checksums of the manifest true again, so that a deeper check is reached. */
  seal(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function copyModel(id: string, version = '1.0.0'): Promise<ModelFolder> {
  const modelsDir = await mkdtemp(path.join(os.tmpdir(), 'fhirsight-models-'));
  const folder = folderAt(modelsDir, id, version);
  await cp(path.join(shippedModels, id, version), folder.dir, { recursive: true });
  return folder;
}

/** A version folder of a models folder, whether it exists already or not. */
export function folderAt(modelsDir: string, id: string, version: string): ModelFolder {
  const dir = path.join(modelsDir, id, version);
  const edit: ModelFolder['edit'] = async (file, change) => {
    const json = JSON.parse(await readFile(path.join(dir, file), 'utf8'));
    change(json);
    await writeFile(path.join(dir, file), JSON.stringify(json, null, 2));
  };
  return {
    modelsDir,
    dir,
    edit,
    async write(file, content) {
      await mkdir(path.dirname(path.join(dir, file)), { recursive: true });
      await writeFile(path.join(dir, file), content);
    },
    remove: (file) => rm(path.join(dir, file), { recursive: true }),
    async seal() {
      const listed = async (folder: string): Promise<string[]> =>
        (await readdir(path.join(dir, folder)).catch(() => [])).map((name) => `${folder}/${name}`);
      const golden = await listed('golden');
      const valueSets = await listed('valueSets');
      const checksums: Record<string, string> = {};
      const tables = [...(await listed('tables')), ...(await listed('explanation')), ...(await listed('cards'))];
      for (const file of ['feature-map.json', 'model-card.json', 'model.onnx', ...golden, ...tables, ...valueSets]) {
        checksums[file] = createHash('sha256')
          .update(await readFile(path.join(dir, file)))
          .digest('hex');
      }
      await edit('manifest.json', (manifest) => {
        manifest.checksums = checksums;
      });
    },
    [Symbol.asyncDispose]: () => rm(modelsDir, { recursive: true }),
  };
}
