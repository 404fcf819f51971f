import type { AppliedSite } from './applied-site.ts';
import { checkSiteCodes } from './check-site-codes.ts';
import { isCodeReference, listsOf } from './code-lists.ts';
import type { FeatureMap, FeatureMapFile } from './feature-map-schema.ts';
import type { Finding } from './finding.ts';
import { withLocalUnits } from './local-units.ts';
import type { SiteFile } from './read-site-file.ts';

/** The codes of each value set by its name; undefined where its file could not be read, which is a finding already. */
export type ValueSetTokens = ReadonlyMap<string, readonly string[] | undefined>;

/** Where the codes of one list came from. */
export interface ResolvedList {
  readonly feature: string;
  readonly kind: string;
  /** JSON Pointer below the feature: `/codes`, `/component/codes`, `/where/encounter/class`. */
  readonly path: string;
  readonly concepts: readonly string[];
  /** It also names codes or value sets beside its concepts. */
  readonly hasOthers: boolean;
  /** Codes of the map and its value sets. */
  readonly own: ReadonlySet<string>;
  /** Codes that only the site file names, with the concept that it adds them to. */
  readonly bySite: ReadonlyMap<string, string>;
}

export interface ResolvedFeatureMap {
  /** Every list of `system|code` only; the very file where it names nothing. Absent where it names what is not there. */
  readonly map: FeatureMap | undefined;
  /** Absent where the site file says nothing of what the features read. */
  readonly site: AppliedSite | undefined;
  readonly findings: readonly Finding[];
  /** About the site file, as this map reads it. */
  readonly siteFindings: readonly Finding[];
}

/**
 * Puts in the place of every value set and concept that a list of codes names the codes themselves, those of the site
 * file included. What follows (checks, compilation, searches) sees `system|code` alone.
 */
export function resolveFeatureMap(
  file: FeatureMapFile,
  valueSets: ValueSetTokens = new Map(),
  site?: SiteFile,
): ResolvedFeatureMap {
  const findings: Finding[] = [];
  const find = (path: string, message: string): void => {
    findings.push({ file: 'feature-map.json', path, message });
  };
  const valueSet = (name: string, path: string): readonly string[] => {
    if (!valueSets.has(name)) find(path, `names the value set ${name}, but the folder has no valueSets/${name}.json`);
    return valueSets.get(name) ?? [];
  };
  const own = new Map<string, readonly string[]>();
  for (const [name, { codes }] of Object.entries(file.concepts ?? {})) {
    const path = `/concepts/${name}/codes`;
    own.set(
      name,
      distinct(codes.flatMap((entry, index) => codesOf(entry, (set) => valueSet(set, `${path}/${index}`)))),
    );
  }
  const addedTo = (concept: string): readonly string[] => siteConcept(site, concept)?.codes ?? [];

  const lists: ResolvedList[] = [];
  const features = Object.fromEntries(
    Object.entries(file.features).map(([feature, definition]) => {
      const resolved = listsOf(definition, (entries, path) => {
        const at = (index: number): string => `/features/${feature}${path}/${index}`;
        const concepts: string[] = [];
        const codes = entries.flatMap((entry, index) =>
          codesOf(
            entry,
            (name) => valueSet(name, at(index)),
            (name) => {
              if (!own.has(name)) find(at(index), `names the concept ${name}, which the map does not define`);
              else concepts.push(name);
              return own.get(name) ?? [];
            },
          ),
        );
        const bySite = new Map(concepts.flatMap((concept) => addedTo(concept).map((code) => [code, concept] as const)));
        for (const code of codes) bySite.delete(code);
        const hasOthers = entries.some((entry) => typeof entry !== 'object' || entry === null || !('concept' in entry));
        lists.push({ feature, kind: definition.kind, path, concepts, hasOthers, own: new Set(codes), bySite });
        const all = distinct([...codes, ...bySite.keys()]);
        if (all.length === 0 && findings.length === 0)
          find(`/features/${feature}${path}`, `has no code: ${concepts.join(', ')} needs one, here or in a site file`);
        return all;
      });
      return [feature, resolved];
    }),
  );
  const applied = appliedSite(site, lists);
  if (findings.length > 0 || [...valueSets.values()].includes(undefined))
    return { map: undefined, site: applied, findings, siteFindings: [] };
  if (lists.length === 0) return { map: file as FeatureMap, site: undefined, findings, siteFindings: [] };
  const concepts = Object.fromEntries(
    Object.entries(file.concepts ?? {}).map(([name, concept]) => [
      name,
      { ...concept, codes: distinct([...(own.get(name) ?? []), ...addedTo(name)]) },
    ]),
  );
  const plain = { ...file, features, concepts } as FeatureMap;
  const siteFindings: Finding[] = [];
  if (site === undefined || applied === undefined) return { map: plain, site: applied, findings, siteFindings };
  const findInSite = (path: string, message: string): void => {
    siteFindings.push({ file: site.file, path, message });
  };
  checkSiteCodes(plain, lists, site, findInSite);
  return { map: withLocalUnits(plain, file, site, findInSite), site: applied, findings, siteFindings };
}

/** What the site file says of one concept. */
function siteConcept(site: SiteFile | undefined, concept: string): SiteFile['concepts'][string] | undefined {
  return site !== undefined && Object.hasOwn(site.concepts, concept) ? site.concepts[concept] : undefined;
}

function appliedSite(site: SiteFile | undefined, lists: readonly ResolvedList[]): AppliedSite | undefined {
  if (site === undefined) return undefined;
  const read = [...new Set(lists.flatMap(({ concepts }) => concepts))].sort();
  const concepts = read.flatMap((name) => {
    const concept = siteConcept(site, name);
    return concept === undefined ? [] : [[name, concept] as const];
  });
  if (concepts.length === 0) return undefined;
  return { id: site.id, version: site.version, concepts: Object.fromEntries(concepts) };
}

function codesOf(
  entry: unknown,
  valueSet: (name: string) => readonly string[],
  concept: (name: string) => readonly string[] = () => [],
): readonly string[] {
  if (typeof entry === 'string') return [entry];
  if (!isCodeReference(entry)) return [];
  return 'valueSet' in entry ? valueSet(entry.valueSet) : concept(entry.concept);
}

function distinct(codes: readonly string[]): string[] {
  return [...new Set(codes)];
}
