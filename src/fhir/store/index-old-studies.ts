import type { ImagingStudy } from '@medplum/fhirtypes';
import { keepOnce, readSetting } from '../../platform/settings-table.ts';
import { indexRow } from './index-row.ts';
import { arrayLiteral, intervalColumns } from './insert-new.ts';
import type { StoreContext } from './store-context.ts';

/** Studies looked at in one statement. */
const studiesAtOnce = 100;
const doneKey = 'imaging-studies-found-by-start-and-modality';

/**
 * Makes studies that an earlier release stored found by when they began and by their modality, as those are that are stored now: a
 * search would pass them over. Done once for each tenant, before anybody searches; broken off, it is begun again. A hundred are held at a time, and none that
 * is changed meanwhile is touched: whoever changes it has indexed it.
 * @returns how many were not found so before
 */
export async function indexOldStudies(context: Omit<StoreContext, 'inTransaction'>): Promise<number> {
  const { sql, tenant } = context;
  if ((await readSetting<boolean>(sql, tenant, doneKey)) === true) return 0;
  let indexed = 0;
  for (let after = ''; ; ) {
    const { rows } = await sql.query<{ id: string; version: number; body: string }>(
      `select id, version, body from resources
       where tenant = $1 and type = 'ImagingStudy' and id > $2 and not deleted and (date_start is null or categories = '{}')
       order by id limit ${studiesAtOnce}`,
      [tenant, after],
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.id;
    const found = rows.flatMap(({ id, version, body }) => {
      const row = indexRow(JSON.parse(body) as ImagingStudy, context.baseUrl, context.timeZone);
      const [start, end] = intervalColumns(row);
      return start === null && row.categories.length === 0 ? [] : [{ id, version, start, end, row }];
    });
    const { rowCount } = await sql.query(
      `update resources r set date_start = given.start::timestamptz, date_end = given.finish::timestamptz, categories = given.categories::text[]
         from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::text[]) as given (id, version, start, finish, categories)
        where r.tenant = $1 and r.type = 'ImagingStudy' and r.id = given.id and r.version = given.version`,
      [
        tenant,
        found.map(({ id }) => id),
        found.map(({ version }) => version),
        found.map(({ start }) => start),
        found.map(({ end }) => end),
        found.map(({ row }) => arrayLiteral(row.categories)),
      ],
    );
    indexed += rowCount;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await keepOnce(sql, tenant, doneKey, true);
  return indexed;
}
