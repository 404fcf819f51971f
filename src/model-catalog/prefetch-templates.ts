import type { FeatureMap } from './feature-map-schema.ts';
import { isSearchedByCode, type RecordQuery, recordQueries } from './record-queries.ts';

/** Key of the Patient among prefetch templates and answers; the others are those of the record queries. */
export const patientKey = 'patient';

const patientId = '{{context.patientId}}';

/**
 * The CDS Hooks prefetch templates of a feature map: the very searches that would be sent to a FHIR server. Without date
 * limits, for CDS Hooks 2.0 has no date tokens (CDS-28); what is too old is left out when the answer is read.
 * Restricted to what every client understands (CDS-22), but for Group, which has no `patient`.
 */
export function prefetchTemplates(
  map: FeatureMap,
  optOutBy: readonly ('consent' | 'group')[],
): Readonly<Record<string, string>> {
  // No instant shows in a template.
  const queries = recordQueries(map, new Date(0), optOutBy);
  return Object.fromEntries([
    [patientKey, `Patient/${patientId}`],
    ...queries.map((query) => [query.key, template(query)] as const),
  ]);
}

function template(query: RecordQuery): string {
  const subject = query.subjectParameter === 'member' ? `member=Patient/${patientId}` : `patient=${patientId}`;
  const codes =
    query.codes !== undefined && isSearchedByCode(query) ? `&code=${query.codes.map(searchToken).join(',')}` : '';
  return `${query.type}?${subject}${codes}`;
}

/** A token in the query of a URL: what FHIR separates by is escaped, what URLs cannot hold is encoded, `|` and `/` are legible. */
export function searchToken(code: string): string {
  return encodeURIComponent(code.replaceAll(/[\\,$]/g, '\\$&')).replaceAll(/%7C|%3A|%2F/g, decodeURIComponent);
}
