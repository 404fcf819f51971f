import { referredFrom } from '../fhir/referred-types.ts';
import { isSearchedByCode, type RecordQuery, type SiteSearch } from './record-queries.ts';

/** Searches of a site for one model, by the key of the query in whose place each stands. */
export type SiteQueries = Readonly<Record<string, string>>;

/** Puts the searches of a site in the place of those of the feature map, where they are fetched over HTTP. */
export function withSiteQueries(queries: RecordQuery[], site: SiteQueries): RecordQuery[] {
  return queries.map((query) => {
    const text = Object.hasOwn(site, query.key) ? site[query.key] : undefined;
    return text === undefined ? query : { ...query, siteSearch: siteSearch(text) };
  });
}

function siteSearch(text: string): SiteSearch {
  const parameters = parametersOf(text);
  const codes = parameters.filter(([name]) => name === 'code').flatMap(([, value]) => listed(value));
  const others = parameters.filter(([name]) => name !== 'code');
  return { parameters: others, ...(codes.length === 0 ? {} : { codes }) };
}

interface Faulty {
  readonly key: string;
  readonly message: string;
}

/**
 * What is wrong with the searches of a site for one model: another type, a subject that is not bound, or a search that may
 * find less than the feature map needs. What is not understood is refused.
 * @param categories every category of a type, as far as the site declares them
 */
export function checkSiteQueries(
  queries: readonly RecordQuery[],
  site: SiteQueries,
  categories: Readonly<Record<string, readonly string[] | undefined>>,
): Faulty[] {
  return Object.entries(site).flatMap(([key, text]) => {
    const query = queries.find((each) => each.key === key);
    if (query === undefined) {
      const known = queries.map((each) => each.key).join(', ');
      return [{ key, message: `is no query of this model; it has ${known}` }];
    }
    return faultsOf(text, query, categories[query.type]).map((message) => ({ key, message }));
  });
}

function faultsOf(text: string, query: RecordQuery, categories: readonly string[] | undefined): string[] {
  const type = text.split('?')[0] ?? '';
  if (type !== query.type) return [`searches ${type || 'nothing'}; the model needs ${query.type}`];
  const parameters = parametersOf(text);
  const faults = parameters.flatMap(([name, value]) => parameterFault(name, value, query, categories) ?? []);
  const repeated = parameters.find(([name], index) => parameters.findIndex(([other]) => other === name) !== index);
  if (repeated !== undefined) faults.push(`has the parameter ${repeated[0]} twice, of which both must hold`);
  const subjects = parameters.filter(([name]) => subjectNames.has(name)).length;
  if (subjects !== 1)
    faults.push(`must bind the subject once, by ${bindings(query).join(' or ')}; it does so ${subjects} times`);
  return faults;
}

const subjectNames: ReadonlySet<string> = new Set(['patient', 'subject', 'member']);

/** Why a parameter is not allowed; undefined where it is. */
function parameterFault(
  name: string,
  value: string,
  query: RecordQuery,
  categories: readonly string[] | undefined,
): string | undefined {
  if (subjectNames.has(name)) {
    if (bindings(query).includes(`${name}=${value}`)) return undefined;
    return `binds the subject by ${name}=${value}; allowed is ${bindings(query).join(' or ')}`;
  }
  switch (name) {
    case 'code':
      return codeFault(value, query);
    case 'category':
      return categoryFault(value, query, categories);
    case 'date':
      return dateFault(value, query);
    case '_include':
      return value === includedBy(query.type) ? undefined : `includes ${value}, which the model does not need`;
    default:
      return `has the parameter ${name}, which may hide what the model needs`;
  }
}

/** The `_include` that brings what the resources of a type refer to. */
function includedBy(type: string): string | undefined {
  const referred = referredFrom(type);
  return referred === undefined ? undefined : `${type}:${referred.toLowerCase()}`;
}

function bindings({ subjectParameter }: RecordQuery): string[] {
  if (subjectParameter === 'member') return ['member=Patient/{{patient}}'];
  return ['patient={{patient}}', 'subject=Patient/{{patient}}', 'patient=Patient/{{patient}}'];
}

function codeFault(value: string, query: RecordQuery): string | undefined {
  if (query.codes === undefined || !isSearchedByCode(query))
    return `narrows by code, but the model needs every ${query.type}: one that cannot be understood forbids to assume absence`;
  const given = new Set(listed(value));
  const lost = query.codes.filter((code) => !given.has(code));
  return lost.length === 0 ? undefined : `loses the codes ${lost.join(', ')}`;
}

function categoryFault(
  value: string,
  { type }: RecordQuery,
  categories: readonly string[] | undefined,
): string | undefined {
  if (categories === undefined)
    return `narrows by category; declare under types.${type}.allCategories every category that the server has`;
  const given = new Set(listed(value));
  const lost = categories.filter((category) => !given.has(category));
  return lost.length === 0 ? undefined : `loses the categories ${lost.join(', ')}`;
}

function dateFault(value: string, { type, since }: RecordQuery): string | undefined {
  if (type !== 'Encounter')
    return `narrows by date, which hides a ${type} without one; what is too old is left out when the answer is read`;
  if (since === undefined) return 'narrows by date, but the model needs encounters of any time';
  if (value === 'ge{{since}}') return undefined;
  return `has the date ${value}, which may be later than the window; allowed is ge{{since}}`;
}

/** Values of which any may match, as FHIR separates them. */
function listed(value: string): string[] {
  return value.split(/(?<!\\),/).map((each) => each.replaceAll(/\\(.)/g, '$1'));
}

function parametersOf(text: string): [name: string, value: string][] {
  const mark = text.indexOf('?');
  return mark < 0 ? [] : [...new URLSearchParams(text.slice(mark + 1).replaceAll('+', '%2B'))];
}
