import { existsSync } from 'node:fs';
import path from 'node:path';
import type { AppliedSite } from './applied-site.ts';
import { governanceOf } from './card/card-at-site.ts';
import { checkCard } from './card/check-card.ts';
import type { Governance } from './card/governance-schema.ts';
import { checkTreatmentAdvice } from './cds-cards/check-treatment-advice.ts';
import { type CardFiles, readCardFiles } from './cds-cards/read-card-files.ts';
import { checkFeatureMap } from './check-feature-map.ts';
import { checkColumns, checkManifest } from './check-manifest.ts';
import { checkPrefetchKeys } from './check-prefetch-keys.ts';
import type { FeatureMap, FeatureMapFile } from './feature-map-schema.ts';
import type { Finding } from './finding.ts';
import type { GoldenFile } from './golden-case-schema.ts';
import { checkGoldenCoverage, checkGoldenFile } from './golden-cases.ts';
import type { Manifest } from './manifest-schema.ts';
import type { ModelCard } from './model-card-schema.ts';
import type { ModelOutputDefinition } from './model-output-schema.ts';
import type { UsedVersion } from './model-version.ts';
import {
  type JsonParser,
  parseFeatureMap,
  parseGoldenFile,
  parseManifest,
  parseModelCard,
} from './parse-model-json.ts';
import { readBackground } from './read-background.ts';
import { readGoldenImages } from './read-golden-images.ts';
import { type Lookups, readLookups } from './read-lookups.ts';
import { checkFiles, readModelFiles } from './read-model-files.ts';
import type { SiteFile } from './read-site-file.ts';
import { type ReadValueSet, readValueSets } from './read-value-sets.ts';
import { resolveFeatureMap } from './resolve-feature-map.ts';
import { gatheredMap, readUsedModels } from './used-models.ts';
import { wholeVersion } from './whole-version.ts';

/** What could be read of a version folder, and everything that is wrong with it. A part that does not parse is absent. */
export interface InspectedModel {
  /** `<id>/<version>`, as the folders are named. */
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly manifest: Manifest | undefined;
  /** As the file has it; lint speaks of that. */
  readonly featureMapFile: FeatureMapFile | undefined;
  /** With the codes in the place of value sets and concepts; absent where one is not there. */
  readonly featureMap: FeatureMap | undefined;
  /** The tables of the feature map that can be used. */
  readonly lookups: Lookups;
  readonly valueSets: readonly ReadValueSet[];
  /** See ModelVersion.background. */
  readonly background: readonly (readonly number[])[] | undefined;
  /** What the site file adds. */
  readonly site: AppliedSite | undefined;
  readonly card: ModelCard | undefined;
  /** The templates and drafts that can be used. */
  readonly cardFiles: CardFiles;
  /** What the site file says in its place. */
  readonly governance: Governance | undefined;
  /** In the order of their names; the content is absent where it does not parse. */
  readonly golden: readonly { readonly file: string; readonly content: GoldenFile | undefined }[];
  /** The models whose outputs the feature map takes, those that can be used. */
  readonly uses: readonly UsedVersion[];
  /** The findings of each stage; those of a later one may follow from those of an earlier one. */
  readonly stages: readonly (readonly Finding[])[];
}

/** The versions that were read because others use them, by folder: each is read once. */
export type ReadUses = Map<string, UsedVersion>;

/**
 * Reads one version folder (`<models>/<id>/<version>`) and checks as much of it as can be read. Nothing is run.
 * @param site local codes and units, read into the map
 * @param read what was read of others with the same site file; those that this one uses are added
 * @param users the versions that this one is read for, `id@version`, each used by the one before it
 */
export async function inspectModelFolder(
  dir: string,
  site?: SiteFile,
  read: ReadUses = new Map(),
  users: readonly string[] = [],
): Promise<InspectedModel> {
  const folder = { id: path.basename(path.dirname(path.resolve(dir))), version: path.basename(path.resolve(dir)) };
  const found: Record<'folder' | 'manifest' | 'sealed' | 'forms' | 'names' | 'fit' | 'site' | 'uses', Finding[]> = {
    folder: [],
    manifest: [],
    sealed: [],
    forms: [],
    names: [],
    fit: [],
    site: [],
    uses: [],
  };
  const files = await readModelFiles(dir, found.folder);
  const parsed = <T>(parse: JsonParser<T>, file: string): T | undefined => {
    const bytes = files.get(file);
    return bytes && parse(file, bytes, file === 'manifest.json' ? found.manifest : found.forms);
  };
  if (!files.has('manifest.json')) {
    found.folder.push({ file: 'manifest.json', path: '', message: 'is missing; it says what the folder holds' });
  }
  const manifest = parsed(parseManifest, 'manifest.json');
  if (manifest !== undefined) {
    checkFiles(files, manifest.checksums, found.sealed);
    found.sealed.push(...checkManifest(manifest, folder));
  }
  const featureMapFile = parsed(parseFeatureMap, 'feature-map.json');
  const valueSets = readValueSets(files, found.forms);
  const tokens = new Map(valueSets.map(({ name, tokens }) => [name, tokens]));
  const resolved = featureMapFile && resolveFeatureMap(featureMapFile, tokens, site);
  found.names.push(...(resolved?.findings ?? []));
  found.site.push(...(resolved?.siteFindings ?? []));
  const featureMap = resolved?.map;
  const lookups = featureMap === undefined ? new Map() : readLookups(featureMap, files, found.fit);
  const background = manifest && readBackground(manifest, files, found.fit);
  const card = parsed(parseModelCard, 'model-card.json');
  const noCardFiles = { templates: new Map(), drafts: new Map() };
  const cardFiles = manifest === undefined ? noCardFiles : readCardFiles(manifest, files, found.fit);
  if (card !== undefined) found.fit.push(...checkTreatmentAdvice(card, cardFiles));
  const goldenFiles = [...files.keys()]
    .filter((file) => /^golden\/.*\.json$/.test(file))
    .map((file) => ({ file, content: parsed(parseGoldenFile, file) }));
  const golden = readGoldenImages(goldenFiles, files, found.fit);
  if (manifest !== undefined) found.fit.push(...fitTogether(manifest, featureMap, card, golden));
  const above = [...users, `${folder.id}@${folder.version}`];
  const used = featureMap && (await readUsedModels(featureMap, (each) => readBeside(dir, each, { site, read, above })));
  found.uses.push(...(used?.findings ?? []));
  if (manifest !== undefined && featureMap !== undefined && used !== undefined && used.findings.length === 0)
    found.uses.push(...checkPrefetchKeys(manifest, gatheredMap(featureMap, used.uses)));
  if (manifest !== undefined && manifest.demonstration === undefined)
    found.uses.push(...demonstrationsUsed(used?.uses ?? []));
  return {
    name: `${folder.id}/${folder.version}`,
    files,
    manifest,
    featureMapFile,
    featureMap,
    lookups,
    valueSets,
    background,
    site: resolved?.site,
    card,
    cardFiles,
    governance: governanceOf(site, folder),
    golden,
    uses: used?.uses ?? [],
    stages: [found.folder, found.manifest, found.sealed, found.forms, found.names, found.site, found.fit, found.uses],
  };
}

/** The version folder beside this one that it uses; undefined where there is none, an error where it is refused. */
async function readBeside(
  dir: string,
  { model, version }: ModelOutputDefinition,
  {
    site,
    read,
    above,
  }: { readonly site: SiteFile | undefined; readonly read: ReadUses; readonly above: readonly string[] },
): Promise<UsedVersion | Error | undefined> {
  const key = `${model}@${version}`;
  const start = above.indexOf(key);
  if (start >= 0) return new RangeError(`it needs itself: ${[...above.slice(start), key].join(' -> ')}`);
  const beside = path.join(path.resolve(dir), '..', '..', model, version);
  const known = read.get(beside);
  if (known !== undefined) return known;
  if (!existsSync(beside)) return undefined;
  try {
    const {
      artefact: _bytes,
      goldenCases: _cases,
      ...used
    } = wholeVersion(await inspectModelFolder(beside, site, read, above));
    read.set(beside, used);
    return used;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** What is for no patient may not come into a score for one. */
function demonstrationsUsed(uses: readonly UsedVersion[]): Finding[] {
  return uses
    .filter(({ manifest }) => manifest.demonstration !== undefined)
    .map(({ key }) => ({
      file: 'feature-map.json',
      path: '/features',
      message: `takes an output of ${key}, a demonstration model; take another, or say "demonstration": true in this manifest too`,
    }));
}

function fitTogether(
  manifest: Manifest,
  map: FeatureMap | undefined,
  card: ModelCard | undefined,
  golden: InspectedModel['golden'],
): Finding[] {
  const outcomes = manifest.outcomes.map(({ id }) => id);
  const findings: Finding[] = [];
  if (map !== undefined) {
    findings.push(...checkFeatureMap(map, outcomes), ...checkColumns(manifest, map));
    if (card !== undefined) findings.push(...checkCard(card, manifest, map));
    for (const { file, content } of golden)
      findings.push(...checkGoldenFile(file, content?.cases ?? [], manifest, map));
  }
  if (golden.every(({ content }) => content !== undefined)) {
    const cases = golden.flatMap(({ content }) => content?.cases ?? []);
    findings.push(...checkGoldenCoverage(cases, manifest));
  }
  return findings;
}
