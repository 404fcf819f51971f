import type { Resource } from '@medplum/fhirtypes';
import { stringifyFhirJson } from '../fhir-json.ts';
import { type IndexRow, indexRow } from './index-row.ts';
import type { StoreContext } from './store-context.ts';

const chunkSize = 500;

/**
 * Stores first versions in few statements; what is there already, also deleted, stays as it is. Between the statements
 * other work of the process gets its turn.
 * @param resources stamped as version 1, each `Type/id` once; runs inside the caller's transaction
 * @returns `Type/id` of those that were stored
 */
export async function insertNew(
  context: StoreContext,
  resources: readonly (Resource & { id: string })[],
): Promise<Set<string>> {
  const stored = new Set<string>();
  for (let start = 0; start < resources.length; start += chunkSize) {
    for (const name of await insertChunk(context, resources.slice(start, start + chunkSize))) stored.add(name);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return stored;
}

/**
 * One statement per chunk. `unnest` cannot take arrays of arrays of different lengths, so lists travel as the text
 * of an array literal and are cast back.
 */
async function insertChunk(
  context: StoreContext,
  resources: readonly (Resource & { id: string })[],
): Promise<string[]> {
  const rows = resources.map((resource) => {
    const index = indexRow(resource, context.baseUrl, context.timeZone);
    const [start, end] = intervalColumns(index);
    return [
      resource.resourceType,
      resource.id,
      resource.meta?.lastUpdated,
      arrayLiteral(index.patients),
      index.encounter ?? null,
      start,
      end,
      index.status ?? null,
      arrayLiteral(index.codes),
      arrayLiteral(index.categories),
      arrayLiteral(index.identifiers),
      stringifyFhirJson(resource),
    ];
  });
  const columns = Array.from({ length: 12 }, (_, column) => rows.map((row) => row[column]));
  const { rows: stored } = await context.sql.query<{ name: string }>(
    `with given as (
       select * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
         $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
       as t(type, id, last_updated, patients, encounter, date_start, date_end, status, codes, categories, identifiers,
         body)
     ), stored as (
       insert into resources (tenant, type, id, version, deleted, last_updated, patients, encounter, date_start,
         date_end, status, codes, categories, identifiers, body)
       select $1, type, id, 1, false, last_updated::timestamptz, patients::text[], encounter, date_start::timestamptz,
         date_end::timestamptz, status, codes::text[], categories::text[], identifiers::text[], body::json from given
       on conflict do nothing
       returning type, id, last_updated, body
     )
     insert into resource_versions (tenant, type, id, version, deleted, last_updated, body)
     select $1, type, id, 1, false, last_updated, body from stored
     returning type || '/' || id as name`,
    [context.tenant, ...columns],
  );
  return stored.map(({ name }) => name);
}

function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** An open end becomes an infinity, so that every comparison holds; a resource without a date has nulls. */
export function intervalColumns(row: IndexRow): [string | null, string | null] {
  if (!row.date) return [null, null];
  return [row.date.start?.toISOString() ?? '-infinity', row.date.end?.toISOString() ?? 'infinity'];
}
