import { splitToken, systemsOf } from '../fhir/codes.ts';
import { measuredEntries } from './code-lists.ts';
import type { FeatureMap } from './feature-map-schema.ts';
import type { SiteFile } from './read-site-file.ts';
import type { ResolvedList } from './resolve-feature-map.ts';

type Find = (path: string, message: string) => void;

/** That the codes which a site adds contradict nothing that the map says, as far as its features read them. */
export function checkSiteCodes(map: FeatureMap, lists: readonly ResolvedList[], site: SiteFile, find: Find): void {
  const found = new Set<string>();
  const once: Find = (path, message) => {
    if (!found.has(path)) find(path, message);
    found.add(path);
  };
  for (const list of lists) {
    checkCompleteness(list, site, once);
    if (measuredKinds.has(list.kind)) checkOneMeaning(list, lists, map, site, once);
  }
}

/** Kinds that look for Observations by their codes: one that is coded otherwise is not seen, and says nothing. */
const measuredKinds: ReadonlySet<string> = new Set(['observation', 'answer', 'category', 'text', 'sequence']);

/** Whether a code that the list does not hold is read as something else, not as unknown. */
function isClosed({ kind, path }: ResolvedList): boolean {
  if (path === '/yes' || path === '/no') return false;
  return !(measuredKinds.has(kind) && (path === '/codes' || path.startsWith('/component/')));
}

/**
 * Where a code that is not in the list is read as something else, so that nothing found becomes no: a system that only
 * the site brings in must be mapped whole.
 */
function checkCompleteness(list: ResolvedList, site: SiteFile, find: Find): void {
  if (!isClosed(list)) return;
  const known = systemsOf(list.own);
  for (const [code, concept] of list.bySite) {
    const [system] = splitToken(code);
    if (known.has(system)) continue;
    if (list.hasOthers) {
      find(
        codePath(site, concept, code),
        `brings ${system} into ${list.feature}, which also names codes outside its concepts: whether another code of ${system} means those cannot be said here; the map must put them into a concept`,
      );
      continue;
    }
    const unmapped = list.concepts.find((each) => site.concepts[each]?.complete?.includes(system) !== true);
    if (unmapped === undefined) continue;
    find(
      codePath(site, concept, code),
      `brings ${system} into ${list.feature}, which reads an unlisted code of a known system as something else; list every code of ${system} that means ${unmapped}, and say so: "complete": ["${system}"]`,
    );
  }
}

/** One local code measures one thing: another feature may have it only if it reads the concept too. */
function checkOneMeaning(
  { feature, path, bySite }: ResolvedList,
  lists: readonly ResolvedList[],
  map: FeatureMap,
  site: SiteFile,
  find: Find,
): void {
  if (path !== '/codes' && path !== '/component/codes') return;
  for (const [code, concept] of bySite) {
    for (const [other, definition] of Object.entries(map.features)) {
      if (other === feature || !measuredKinds.has(definition.kind)) continue;
      if (!measuredEntries(definition).includes(code)) continue;
      if (lists.some((list) => list.feature === other && list.concepts.includes(concept))) continue;
      find(
        codePath(site, concept, code),
        `${code} is also a code of ${other}, which does not read ${concept}: one local code cannot mean both`,
      );
    }
  }
}

function codePath({ concepts }: SiteFile, concept: string, code: string): string {
  return `/concepts/${concept}/codes/${concepts[concept]?.codes?.indexOf(code)}`;
}
