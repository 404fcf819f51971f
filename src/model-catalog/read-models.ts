import { digestWithSite } from './applied-site.ts';
import { modelInvalid } from './finding.ts';
import { inspectModelFolder } from './inspect-model-folder.ts';
import type { ModelVersion } from './model-version.ts';
import { digestOf } from './read-model-files.ts';
import type { SiteFile } from './read-site-file.ts';

/**
 * Reads one version folder (`<models>/<id>/<version>`) and checks that everything in it is whole and fits together.
 * Nothing is run.
 * @param site local codes and units, read into the map
 * Throws MODEL_INVALID with every finding of the first stage that has any: file, JSON path, reason.
 */
export async function readModelFolder(dir: string, site?: SiteFile): Promise<ModelVersion> {
  const inspected = await inspectModelFolder(dir, site);
  const { name, files, manifest, featureMap, lookups, card, golden, stages } = inspected;
  const findings = stages.find((stage) => stage.length > 0);
  if (findings !== undefined) throw modelInvalid(name, findings);
  const artefact = files.get('model.onnx');
  if (manifest === undefined || featureMap === undefined || card === undefined || artefact === undefined)
    throw new RangeError(`${name}: a part was not read, and nothing was found wrong`);
  return {
    key: `${manifest.id}@${manifest.version}`,
    manifest,
    featureMap,
    lookups,
    valueSets: inspected.valueSets,
    card,
    goldenCases: golden.flatMap(({ content }) => content?.cases ?? []),
    artefact,
    digest: inspected.site === undefined ? digestOf(files) : digestWithSite(digestOf(files), inspected.site),
    ...(inspected.site === undefined ? {} : { site: inspected.site }),
  };
}
