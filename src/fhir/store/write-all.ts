import type { Resource } from '@medplum/fhirtypes';
import { stringifyFhirJson } from '../fhir-json.ts';
import { indexRow } from './index-row.ts';
import type { StoreContext } from './store-context.ts';
import { intervalColumns, stamped } from './write-resource.ts';

const chunkSize = 500;

/**
 * Loads resources in bulk, all or none, each as version 1 under its own id (or a new one). What is there already
 * stays as it is. Not validated: for data this server made itself.
 * @returns how many were stored
 */
export async function writeAll(context: StoreContext, resources: readonly Resource[]): Promise<number> {
  return context.inTransaction(async (tx) => {
    let stored = 0;
    for (let start = 0; start < resources.length; start += chunkSize) {
      stored += await writeChunk(tx, resources.slice(start, start + chunkSize));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return stored;
  });
}

/**
 * One statement per chunk. `unnest` cannot take arrays of arrays of different lengths, so lists travel as the text
 * of an array literal and are cast back.
 */
async function writeChunk(context: StoreContext, resources: readonly Resource[]): Promise<number> {
  const rows = resources.map((given) => {
    const resource = stamped(context, given, given.id ?? context.newId(), 1);
    const index = indexRow(resource, context.baseUrl, context.timeZone);
    const [start, end] = intervalColumns(index);
    return [
      resource.resourceType,
      resource.id,
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
  const columns = Array.from({ length: 11 }, (_, column) => rows.map((row) => row[column]));
  const { rowCount } = await context.sql.query(
    `with given as (
       select * from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
         $10::text[], $11::text[], $12::text[], $13::text[])
       as t(type, id, patients, encounter, date_start, date_end, status, codes, categories, identifiers, body)
     ), stored as (
       insert into resources (tenant, type, id, version, deleted, last_updated, patients, encounter, date_start,
         date_end, status, codes, categories, identifiers, body)
       select $1, type, id, 1, false, $2::timestamptz, patients::text[], encounter, date_start::timestamptz,
         date_end::timestamptz, status, codes::text[], categories::text[], identifiers::text[], body::json from given
       on conflict do nothing
       returning type, id, last_updated, body
     )
     insert into resource_versions (tenant, type, id, version, deleted, last_updated, body)
     select $1, type, id, 1, false, last_updated, body from stored`,
    [context.tenant, context.clock.now(), ...columns],
  );
  return rowCount;
}

function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
