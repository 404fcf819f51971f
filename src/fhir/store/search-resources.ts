import type { Resource } from '@medplum/fhirtypes';
import { isTime, type PageKey } from './page-token.ts';
import type { ParsedSearch, SortKey } from './parse-search.ts';
import { parseBody } from './read-resource.ts';
import { type Bind, birthDateBounds, searchCondition } from './search-condition.ts';
import { definitionElements, endpointReferences, patientElements, type SearchParameter } from './search-parameters.ts';
import type { StoreContext } from './store-context.ts';

export interface SearchPage {
  readonly resources: readonly (Resource & { id: string })[];
  /** Where this page ends, where there are more. */
  readonly next?: PageKey;
  /** The exact number of matches, where it was asked for. */
  readonly total?: number;
}

/**
 * Runs a search. Pages are cut by the sort values and the id of the last resource, so that what is written meanwhile
 * neither repeats nor hides a match; without `_sort` the order is by id.
 * @param exceptIds resources that do not count as matches
 */
export async function searchResources(
  context: StoreContext,
  search: ParsedSearch,
  exceptIds: readonly string[] = [],
): Promise<SearchPage> {
  const total = search.total || search.countOnly ? await countMatches(context, search) : undefined;
  if (search.countOnly) return { resources: [], total };
  const values: unknown[] = [];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const keys = search.sort.map(sortExpression);
  const conditions = matchConditions(context, search, bind);
  if (exceptIds.length > 0) conditions.push(`id <> all(${bind(exceptIds)}::text[])`);
  if (search.after) conditions.push(afterCondition(search.sort, keys, search.after, bind));
  const order = [...keys.map((key, index) => `${key} ${search.sort[index]?.descending ? 'desc' : 'asc'}`), 'id asc'];
  const shown = keys.map(
    (key, index) =>
      `, ${isTime(search.sort[index]?.parameter ?? '') ? `extract(epoch from ${key})` : key}::text as key${index}`,
  );
  const { rows } = await context.sql.query<Record<string, string>>(
    `select id, body${shown.join('')} from resources where ${conditions.join(' and ')}
     order by ${order.join(', ')} limit ${search.count + 1}`,
    values,
  );
  const page = rows.slice(0, search.count);
  const last = page.at(-1);
  return {
    resources: page.map((row) => parseBody(row.body ?? '') as Resource & { id: string }),
    ...(rows.length > search.count && last
      ? { next: { id: last.id ?? '', values: keys.map((_, index) => last[`key${index}`] ?? '') } }
      : {}),
    ...(total === undefined ? {} : { total }),
  };
}

async function countMatches(context: StoreContext, search: ParsedSearch): Promise<number> {
  const values: unknown[] = [];
  const conditions = matchConditions(context, search, (value) => `$${values.push(value)}`);
  const { rows } = await context.sql.query<{ total: string }>(
    `select count(*)::text as total from resources where ${conditions.join(' and ')}`,
    values,
  );
  return Number(rows[0]?.total);
}

function matchConditions(context: StoreContext, search: ParsedSearch, bind: Bind): string[] {
  return [
    `tenant = ${bind(context.tenant)}`,
    `type = ${bind(search.type)}`,
    'not deleted',
    ...search.filters.map((filter) => searchCondition(context, filter, bind)),
  ];
}

/** Rows strictly behind the page's end in the search's order. */
function afterCondition(sort: readonly SortKey[], keys: readonly string[], after: PageKey, bind: Bind): string {
  const alternatives: string[] = [];
  const equal: string[] = [];
  for (const [index, key] of keys.entries()) {
    const { parameter = '_id' as SearchParameter, descending = false } = sort[index] ?? {};
    const value = isTime(parameter)
      ? `to_timestamp(${bind(after.values[index])}::double precision)`
      : `${bind(after.values[index])}::text`;
    alternatives.push([...equal, `${key} ${descending ? '<' : '>'} ${value}`].join(' and '));
    equal.push(`${key} = ${value}`);
  }
  alternatives.push([...equal, `id > ${bind(after.id)}`].join(' and '));
  return `(${alternatives.map((alternative) => `(${alternative})`).join(' or ')})`;
}

/** What a resource is sorted by; never null, so that pages can be cut anywhere. Without a value it comes last. */
function sortExpression({ parameter, descending }: SortKey): string {
  const last = descending ? `''` : `U&'\\+10FFFF'`;
  switch (parameter) {
    case '_id':
      return 'id';
    case '_lastUpdated':
      return 'last_updated';
    case 'date':
    case 'started':
      return descending ? `coalesce(date_end, '-infinity')` : `coalesce(date_start, 'infinity')`;
    case 'status':
      return `coalesce(status, ${last})`;
    case 'encounter':
      return `coalesce(encounter, ${last})`;
    case 'code':
      return `coalesce(codes[1], ${last})`;
    case 'category':
    case 'modality':
      return `coalesce(categories[1], ${last})`;
    case 'identifier':
      return `coalesce(identifiers[1], ${last})`;
    case 'gender':
    case 'active':
    case 'deceased':
      return `coalesce(${patientElements[parameter]}, ${last})`;
    case 'endpoint':
      return `coalesce((${endpointReferences})[1] collate "C", ${last})`;
    case 'url':
      return `coalesce(${definitionElements.url}, ${last})`;
    case 'value':
      return `coalesce((body->'uniqueId'->0->>'value') collate "C", ${last})`;
    case 'birthdate':
      return `coalesce(${descending ? birthDateBounds.end : birthDateBounds.start}, ${last})`;
    case 'patient':
    case 'subject':
    case 'member':
    case 'target':
      return `coalesce(patients[1], ${last})`;
  }
}
