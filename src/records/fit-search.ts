import type { FhirSearch } from '../fhir/client/fhir-client.ts';
import type { SearchAbility, ServerProfile } from '../fhir/client/server-profile.ts';
import { unreachable } from '../fhir/client/unreachable.ts';
import { isSearchedByCode, type RecordQuery } from '../model-catalog/record-queries.ts';

/** One query about one subject, as it is to be asked at one server. */
export interface AskedQuery {
  readonly query: RecordQuery;
  readonly subjectId: string;
  /** The instant from which rows may be left out. */
  readonly from: Date | undefined;
}

/**
 * The search for a query, with the parameters that the server knows: one that only narrows (code, date) is left out where
 * it does not know it, since more rows change nothing. Throws RECORD_UNREACHABLE, with what to configure, where the
 * server cannot give what the query asks for.
 */
export function fitSearch({ query, subjectId, from }: AskedQuery, profile: ServerProfile, base: string): FhirSearch {
  const ability = profile.abilityOf(query.type);
  const { pageSize } = profile;
  const paged = pageSize === undefined ? {} : { pageSize };
  if (query.siteSearch !== undefined && profile.takesSiteSearches) {
    const parameters = query.siteSearch.parameters.map(
      ([name, value]) =>
        [name, value.replaceAll('{{patient}}', subjectId).replaceAll('{{since}}', from?.toISOString() ?? '')] as const,
    );
    const { codes } = query.siteSearch;
    return {
      type: query.type,
      parameters,
      ...(codes === undefined ? {} : { anyOf: { name: 'code', values: codes } }),
      subjectParameter: query.subjectParameter,
      ...paged,
    };
  }
  if (ability === undefined) throw unfit(query, base, `does not search ${query.type}, as its /metadata says`);
  const [subject, bound] = subjectOf(query, subjectId, ability, base);
  const byCode = isSearchedByCode(query) && query.codes !== undefined && knows(ability, 'code');
  const byDate = from !== undefined && searchedByDate.includes(query.type) && knows(ability, 'date');
  const given = [...(byCode ? ['code'] : []), ...(byDate ? ['date'] : [])];
  const isLacking = ability.needs !== undefined && !ability.needs.some((name) => given.includes(name));
  const categories = isLacking && ability.needs?.includes('category') ? ability.categories : undefined;
  if (isLacking && categories === undefined) {
    const needs = ability.needs?.join(' or ');
    throw unfit(query, base, `needs ${needs} to search ${query.type}, and this query has none`);
  }
  return {
    type: query.type,
    parameters: [
      [bound, subject],
      ...(byDate ? [['date', `ge${from.toISOString()}`] as const] : []),
      ...(categories === undefined ? [] : [['category', categories.join(',')] as const]),
    ],
    ...(byCode ? { anyOf: { name: 'code', values: query.codes ?? [] } } : {}),
    subjectParameter: bound,
    ...paged,
  };
}

/**
 * Types that are searched by date. A result without a time, which may be the newest, would be hidden by that of
 * Observation; an Encounter without one shows nothing anyway.
 */
const searchedByDate: readonly RecordQuery['type'][] = ['Encounter'];

/** The value and the name of the parameter that binds the subject. */
function subjectOf(
  query: RecordQuery,
  subjectId: string,
  ability: SearchAbility,
  base: string,
): [value: string, name: string] {
  const { subjectParameter } = query;
  if (knows(ability, subjectParameter))
    return [subjectParameter === 'member' ? `Patient/${subjectId}` : subjectId, subjectParameter];
  // Where patient is a parameter, subject is one that means more: with the type it means the same.
  if (subjectParameter === 'patient' && knows(ability, 'subject')) return [`Patient/${subjectId}`, 'subject'];
  throw unfit(query, base, `does not search ${query.type} by ${subjectParameter}, as far as is known of it`);
}

function knows({ parameters }: SearchAbility, name: string): boolean {
  return parameters === undefined || parameters.has(name);
}

function unfit({ type, key }: RecordQuery, base: string, happened: string) {
  const optOut = key === 'consents' || key === 'optOutGroups' ? ' If it keeps none, set OPT_OUT_BY.' : '';
  return unreachable(
    { base, name: `search ${type}` },
    happened,
    `Declare what it can do under types.${type} of FHIR_SERVER_PROFILE, or a search of your own under queries.${optOut}`,
  );
}
