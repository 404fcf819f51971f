import { createHash } from 'node:crypto';
import { type AppliedSite, digestWithSite } from './applied-site.ts';
import { compiledTables } from './compiled-tables.ts';
import { modelInvalid } from './finding.ts';
import type { InspectedModel } from './inspect-model-folder.ts';
import type { ModelVersion, UsedVersion } from './model-version.ts';
import { digestOf } from './read-model-files.ts';
import { gatheredMap } from './used-models.ts';

/**
 * The version that was read, where nothing is wrong with it.
 * Throws MODEL_INVALID with every finding of the first stage that has any: file, JSON path, reason.
 */
export function wholeVersion(inspected: InspectedModel): ModelVersion {
  const { name, files, manifest, featureMap, lookups, card, golden, stages, uses } = inspected;
  const findings = stages.find((stage) => stage.length > 0);
  if (findings !== undefined) throw modelInvalid(name, findings);
  const artefact = files.get('model.onnx');
  if (manifest === undefined || featureMap === undefined || card === undefined || artefact === undefined)
    throw new RangeError(`${name}: a part was not read, and nothing was found wrong`);
  const read = digestWithTables(digestOf(files), compiledTables);
  const own = inspected.site === undefined ? read : digestWithSite(read, inspected.site);
  const site = withSitesOf(inspected.site, uses);
  return {
    key: `${manifest.id}@${manifest.version}`,
    manifest,
    featureMap,
    lookups,
    valueSets: inspected.valueSets,
    card,
    cardFiles: inspected.cardFiles,
    ...(inspected.governance === undefined ? {} : { governance: inspected.governance }),
    goldenCases: golden.flatMap(({ content }) => content?.cases ?? []),
    ...(inspected.background === undefined ? {} : { background: inspected.background }),
    artefact,
    uses,
    gathered: gatheredMap(featureMap, uses),
    digest: digestWithUses(own, uses),
    ...(site === undefined ? {} : { site }),
  };
}

/** SHA-256 (hex) over the digest of the files and the tables and sentences of this release that a number goes through. */
export function digestWithTables(filesDigest: string, tables: string): string {
  return createHash('sha256')
    .update(JSON.stringify([filesDigest, tables]))
    .digest('hex');
}

/** SHA-256 (hex) over the digest of a version and those of the models that it uses; its own where it uses none. */
function digestWithUses(own: string, uses: readonly UsedVersion[]): string {
  if (uses.length === 0) return own;
  const used = uses.map(({ key, digest }) => [key, digest]).sort();
  return createHash('sha256')
    .update(JSON.stringify([own, used]))
    .digest('hex');
}

/** A result rests on local codes of the models that are used too. All were read with one site file. */
function withSitesOf(own: AppliedSite | undefined, uses: readonly UsedVersion[]): AppliedSite | undefined {
  const sites = [own, ...uses.map(({ site }) => site)].filter((site) => site !== undefined);
  const [first] = sites;
  if (first === undefined || sites.length === 1) return first;
  return { ...first, concepts: Object.assign({}, ...sites.map(({ concepts }) => concepts)) };
}
