import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { PredictionError } from '../../platform/errors.ts';

/**
 * The version folder that a call names: a path of it, a path of a model (its version, or the highest), or the id of a
 * model of MODELS_DIR.
 * @param modelsDir asked only where `model` is an id
 * Throws PARAMETER_INVALID where there is none.
 */
export async function findModelFolder(
  model: string,
  version: string | undefined,
  modelsDir: () => Promise<string>,
): Promise<string> {
  const isId = /^[a-z][a-z0-9-]{1,63}$/.test(model);
  const folder = isId ? path.join(await modelsDir(), model) : path.resolve(model);
  if (!isFolder(folder)) {
    const found = isId ? `MODELS_DIR has no model ${model} (${folder})` : `there is no folder ${model}`;
    throw new PredictionError(
      'PARAMETER_INVALID',
      `${found}; name a version folder, such as ./${model.replace(/^\.\//, '')}, or the id of a model of MODELS_DIR.`,
    );
  }
  if (!isId && version === undefined && existsSync(path.join(folder, 'manifest.json'))) return folder;
  const versions = readdirSync(folder).filter(
    (name) => /^\d+\.\d+\.\d+$/.test(name) && isFolder(path.join(folder, name)),
  );
  versions.sort(new Intl.Collator('en', { numeric: true }).compare);
  const chosen = version ?? versions.at(-1);
  if (chosen !== undefined && versions.includes(chosen)) return path.join(folder, chosen);
  // A version folder whose manifest is missing is a finding; any other folder may be a whole disk.
  if (!isId && version === undefined) {
    if (partsOfModel.some((file) => existsSync(path.join(folder, file)))) return folder;
    throw new PredictionError(
      'PARAMETER_INVALID',
      `${folder} holds no model: neither ${partsOfModel.join(', ')} nor a folder of a version such as 1.0.0.`,
    );
  }
  throw new PredictionError(
    'PARAMETER_INVALID',
    `${folder} has no version ${version ?? 'folder'}; it has: ${versions.join(', ') || 'none'}.`,
  );
}

const partsOfModel = ['manifest.json', 'feature-map.json', 'model-card.json', 'model.onnx'];

function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
