import { createOnnxEngine } from '../../inference/onnx-engine.ts';
import { loadVersion } from '../../model-catalog/load-version.ts';
import type { LoadedVersion } from '../../model-catalog/model-version.ts';
import { readSiteFile } from '../../model-catalog/read-site-file.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Config } from '../../platform/config.ts';
import { modelsFolder } from '../../wire-models.ts';
import { findModelFolder } from '../lint/find-model-folder.ts';

/**
 * Opens one version of MODELS_DIR with the site file, as a server loads it, and nothing else; closes it whatever comes of
 * the work. Throws PARAMETER_INVALID where there is none, MODEL_INVALID where it is refused.
 */
export async function withModel<T>(
  { modelsDir, siteFile }: Pick<Config, 'modelsDir' | 'siteFile'>,
  id: string,
  version: string | undefined,
  work: (model: LoadedVersion) => Promise<T>,
): Promise<T> {
  const folder = await findModelFolder(id, version, async () => modelsFolder(modelsDir));
  const site = await readSiteFile(siteFile);
  const engine = createOnnxEngine({ triesApart: true });
  try {
    const options = { engine, clock: systemClock, ...(site === undefined ? {} : { site }) };
    const registered = await loadVersion(folder, options, new Map());
    if ('error' in registered) throw registered.error;
    return await work(registered.version);
  } finally {
    await engine.close();
  }
}
