import { referredFrom } from '../fhir/referred-types.ts';
import type { FeatureMap } from './feature-map-schema.ts';
import { isSearchedByCode, type RecordQuery, recordQueries } from './record-queries.ts';

/** A resource type that models need, and how it is asked for. */
export interface NeededType {
  readonly type: string;
  /** `id`: read one by one, by a reference to it. */
  readonly by: 'search' | 'id';
  /** `system|code` tokens any of which matches; absent: whatever their code. */
  readonly codes?: readonly string[];
}

type OptOutBy = readonly ('consent' | 'group')[];

/**
 * The resource types that one or several feature maps need, the Patient first: the union of the searches that would be
 * sent to a FHIR server. Where one model needs all of a type, codes do not narrow it for another.
 */
export function neededTypes(maps: readonly FeatureMap[], optOutBy: OptOutBy): NeededType[] {
  const byType = new Map<string, RecordQuery[]>();
  for (const map of maps) {
    // No instant shows in what is asked for here.
    for (const query of recordQueries(map, new Date(0), optOutBy))
      byType.set(query.type, [...(byType.get(query.type) ?? []), query]);
  }
  const searched = [...byType].map(([type, queries]): NeededType => {
    const codes = codesOf(queries);
    return { type, by: 'search', ...(codes === undefined ? {} : { codes }) };
  });
  const referred = new Set([...byType.keys()].flatMap((type) => referredFrom(type) ?? []));
  const beside = [...referred].map((type): NeededType => ({ type, by: 'id' }));
  return [{ type: 'Patient', by: 'id' }, ...searched, ...beside];
}

/** Undefined where one of them is searched without codes. */
function codesOf(queries: readonly RecordQuery[]): string[] | undefined {
  const codes = new Set<string>();
  for (const query of queries) {
    if (query.codes === undefined || !isSearchedByCode(query)) return undefined;
    for (const code of query.codes) codes.add(code);
  }
  return [...codes];
}
