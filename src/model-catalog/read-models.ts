import { inspectModelFolder, type ReadUses } from './inspect-model-folder.ts';
import type { ModelVersion } from './model-version.ts';
import type { SiteFile } from './read-site-file.ts';
import { wholeVersion } from './whole-version.ts';

/**
 * Reads one version folder (`<models>/<id>/<version>`) and those beside it that it uses, and checks that everything in it
 * is whole and fits together. Nothing is run.
 * @param site local codes and units, read into the map
 * @param read see `inspectModelFolder`
 * Throws MODEL_INVALID with every finding of the first stage that has any: file, JSON path, reason.
 */
export async function readModelFolder(dir: string, site?: SiteFile, read?: ReadUses): Promise<ModelVersion> {
  return wholeVersion(await inspectModelFolder(dir, site, read));
}
