import { type Finding, modelInvalid } from './finding.ts';
import { inspectModelFolder } from './inspect-model-folder.ts';
import type { UsedVersion } from './model-version.ts';
import { checkFiles, digestOf } from './read-model-files.ts';
import type { SiteFile } from './read-site-file.ts';
import { gatheredMap } from './used-models.ts';

/** What of a version there is before its model is trained: its manifest and its feature map, with what these read. */
export type DraftVersion = Omit<UsedVersion, 'card' | 'cardFiles'>;

/**
 * Reads a version folder whose model is still to be trained: manifest and feature map are checked as at load, but for the
 * checksums; artefact, card and golden cases need not be there.
 * Throws MODEL_INVALID with every finding.
 */
export async function readDraft(dir: string, site?: SiteFile): Promise<DraftVersion> {
  const inspected = await inspectModelFolder(dir, site);
  const { name, files, manifest, featureMap, lookups, valueSets, uses } = inspected;
  const findings = inspected.stages.flat().filter(isOfDraft(files, manifest?.checksums ?? {}));
  if (findings.length > 0) throw modelInvalid(name, findings);
  if (manifest === undefined || featureMap === undefined) {
    const missing = manifest === undefined ? 'manifest.json' : 'feature-map.json';
    throw modelInvalid(name, [
      { file: missing, path: '', message: 'is missing; a matrix is made by manifest and map' },
    ]);
  }
  return {
    key: `${manifest.id}@${manifest.version}`,
    manifest,
    featureMap,
    lookups,
    valueSets,
    uses,
    gathered: gatheredMap(featureMap, uses),
    digest: digestOf(files),
    ...(inspected.site === undefined ? {} : { site: inspected.site }),
  };
}

/** Whether a finding is about what a draft has, and not about its seal. */
function isOfDraft(
  files: Parameters<typeof checkFiles>[0],
  checksums: Readonly<Record<string, string>>,
): (finding: Finding) => boolean {
  const unsealed: Finding[] = [];
  checkFiles(files, checksums, unsealed);
  return ({ file, path, message }) =>
    (file === 'manifest.json' || file === 'feature-map.json' || /^(?:tables|valueSets)\//.test(file)) &&
    !path.startsWith('/checksums') &&
    !unsealed.some((other) => other.file === file && other.path === path && other.message === message);
}
