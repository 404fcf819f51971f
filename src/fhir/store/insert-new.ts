import type { Resource } from '@medplum/fhirtypes';
import type { IndexRow } from './index-row.ts';
import { type ResourceRow, resourceRow } from './resource-row.ts';
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
    const rows = resources.slice(start, start + chunkSize).map((resource) => resourceRow(context, resource));
    for (const name of await insertRows(context, rows)) stored.add(name);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return stored;
}

/**
 * Stores first versions in one statement; what is there already stays as it is. `unnest` cannot take arrays of arrays of
 * different lengths, so lists travel as the text of an array literal and are cast back. The resources travel as one
 * JSON array, which needs no quoting.
 * @returns `Type/id` of those that were stored
 */
export async function insertRows(
  context: Pick<StoreContext, 'sql' | 'tenant'>,
  given: readonly ResourceRow[],
): Promise<string[]> {
  const rows = given.map(({ type, id, lastUpdated, index }) => {
    const [start, end] = intervalColumns(index);
    return [
      type,
      id,
      lastUpdated,
      arrayLiteral(index.patients),
      index.encounter ?? null,
      start,
      end,
      index.status ?? null,
      arrayLiteral(index.codes),
      arrayLiteral(index.categories),
      arrayLiteral(index.identifiers),
    ];
  });
  const columns = Array.from({ length: 11 }, (_, column) => rows.map((row) => row[column]));
  const { rows: stored } = await context.sql.query<{ name: string }>(
    `with given as (
       select * from rows from (unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), unnest($5::text[]),
         unnest($6::text[]), unnest($7::text[]), unnest($8::text[]), unnest($9::text[]), unnest($10::text[]),
         unnest($11::text[]), unnest($12::text[]), json_array_elements($13::json))
       as t(type, id, last_updated, patients, encounter, date_start, date_end, status, codes, categories, identifiers,
         body)
     ), stored as (
       insert into resources (tenant, type, id, version, deleted, last_updated, patients, encounter, date_start,
         date_end, status, codes, categories, identifiers, body)
       select $1, type, id, 1, false, last_updated::timestamptz, patients::text[], encounter, date_start::timestamptz,
         date_end::timestamptz, status, codes::text[], categories::text[], identifiers::text[], body from given
       on conflict do nothing
       returning type, id, last_updated, body
     )
     insert into resource_versions (tenant, type, id, version, deleted, last_updated, body)
     select $1, type, id, 1, false, last_updated, body from stored
     returning type || '/' || id as name`,
    [context.tenant, ...columns, `[${given.map(({ body }) => body).join(',')}]`],
  );
  return stored.map(({ name }) => name);
}

/** A PostgreSQL array as text: an array of arrays of different lengths is none. */
export function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** An open end becomes an infinity, so that every comparison holds; a resource without a date has nulls. */
export function intervalColumns(row: IndexRow): [string | null, string | null] {
  if (!row.date) return [null, null];
  return [row.date.start?.toISOString() ?? '-infinity', row.date.end?.toISOString() ?? 'infinity'];
}
