import { readDeclaredServer } from '../../fhir/client/read-declared-server.ts';
import { readDraft } from '../../model-catalog/read-draft.ts';
import { readSiteFile } from '../../model-catalog/read-site-file.ts';
import type { Config } from '../../platform/config.ts';
import { compileVersion } from '../../wire-models.ts';
import { findModelFolder } from '../lint/find-model-folder.ts';
import type { MatrixModel, RowParts } from './matrix-rows.ts';

/**
 * The model of a folder that holds manifest and feature map and no artefact yet, as rows are made by it.
 * @param folder a version folder, or a model folder: its highest version
 * Throws PARAMETER_INVALID, MODEL_INVALID, and what the models throw whose outputs it takes.
 */
export async function draftModel(
  folder: string,
  config: Config,
  findModel: RowParts['findModel'],
): Promise<MatrixModel> {
  const dir = await findModelFolder(folder.includes('/') ? folder : `./${folder}`, undefined, async () => '');
  const draft = await readDraft(dir, await readSiteFile(config.siteFile));
  const declared = config.fhirBaseUrl === undefined ? {} : await readDeclaredServer(config.fhirServerProfile);
  return {
    manifest: draft.manifest,
    digest: draft.digest,
    uses: draft.uses.map(({ manifest: { id, version } }) => findModel(id, version)),
    ...compileVersion(draft, config, declared),
  };
}
