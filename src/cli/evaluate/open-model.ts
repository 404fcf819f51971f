import { createOnnxEngine } from '../../inference/onnx-engine.ts';
import { modelInvalid } from '../../model-catalog/finding.ts';
import { goldenRow, runGoldenCases } from '../../model-catalog/golden-cases.ts';
import type { LoadedVersion, ModelVersion } from '../../model-catalog/model-version.ts';
import { readModelFolder } from '../../model-catalog/read-models.ts';
import { readSiteFile } from '../../model-catalog/read-site-file.ts';
import type { Config } from '../../platform/config.ts';
import { modelsFolder } from '../../wire-models.ts';
import { findModelFolder } from '../lint/find-model-folder.ts';

/** Opens one version of MODELS_DIR with the site file, as the server would, and closes it whatever comes of the work. */
export async function withModel<T>(
  { modelsDir, siteFile }: Config,
  id: string,
  version: string | undefined,
  work: (model: ModelVersion & Pick<LoadedVersion, 'run'>) => Promise<T>,
): Promise<T> {
  const folder = await findModelFolder(id, version, async () => modelsFolder(modelsDir));
  const model = await readModelFolder(folder, await readSiteFile(siteFile));
  const { input, output } = model.manifest.tensors;
  const engine = createOnnxEngine({ triesApart: true });
  try {
    const loaded = await engine.load({
      key: model.key,
      artefact: model.artefact,
      input: { ...input, columns: input.columns.length },
      output,
      samples: model.goldenCases.map((golden) => goldenRow(golden, model.manifest, model.featureMap)),
    });
    const findings = await runGoldenCases(model, (rows) => loaded.run(rows));
    if (findings.length > 0) throw modelInvalid(model.key, findings);
    return await work({ ...model, run: (rows, options) => loaded.run(rows, options) });
  } finally {
    await engine.close();
  }
}
