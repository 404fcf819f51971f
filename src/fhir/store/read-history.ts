import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { parseCount, refused, shown } from './parse-search.ts';
import { parseBody, type StoredRow, unknownResource } from './read-resource.ts';
import type { StoreContext } from './store-context.ts';

const allowed = ['_count', '_page', '_format', '_pretty'];

/**
 * The history of one resource as a Bundle, newest version first. Throws RESOURCE_UNKNOWN where it never
 * existed, PARAMETER_INVALID for a parameter that is not understood.
 */
export async function readHistory(
  context: StoreContext,
  type: string,
  id: string,
  parameters: Iterable<readonly [string, string]>,
): Promise<Bundle> {
  const given = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (!allowed.includes(name))
      throw refused(name, `A history knows no parameter '${shown(name)}'; allowed are ${allowed.join(', ')}.`);
    given.set(name, value);
  }
  const page = given.get('_page');
  if (page !== undefined && !/^[1-9]\d{0,8}$/.test(page)) {
    throw refused('_page', '_page is not a page of this history: follow the next link as it was given.');
  }
  const count = Math.max(1, parseCount(given.get('_count')));
  const { rows } = await context.sql.query<StoredRow & { last_updated: Date }>(
    `select version, deleted, last_updated, body from resource_versions
     where tenant = $1 and type = $2 and id = $3 and version < $4 order by version desc limit $5`,
    [context.tenant, type, id, page === undefined ? 2 ** 31 - 1 : Number(page), count + 1],
  );
  const total = await countVersions(context, type, id);
  if (total === 0) throw unknownResource(`${type}/${id}`);
  const shownRows = rows.slice(0, count);
  const url = `${context.baseUrl}/${type}/${id}/_history`;
  const query = given.has('_count') ? `_count=${count}` : '';
  const pageQuery = [query, page === undefined ? '' : `_page=${page}`].filter(Boolean).join('&');
  const link = [{ relation: 'self', url: pageQuery === '' ? url : `${url}?${pageQuery}` }];
  const last = shownRows.at(-1);
  if (rows.length > count && last) {
    link.push({ relation: 'next', url: `${url}?${[query, `_page=${last.version}`].filter(Boolean).join('&')}` });
  }
  return {
    resourceType: 'Bundle',
    type: 'history',
    total,
    link,
    entry: shownRows.map((row) => historyEntry(context, type, id, row)),
  };
}

async function countVersions(context: StoreContext, type: string, id: string): Promise<number> {
  const { rows } = await context.sql.query<{ total: string }>(
    'select count(*)::text as total from resource_versions where tenant = $1 and type = $2 and id = $3',
    [context.tenant, type, id],
  );
  return Number(rows[0]?.total);
}

function historyEntry(
  context: StoreContext,
  type: string,
  id: string,
  row: StoredRow & { last_updated: Date },
): BundleEntry {
  return {
    fullUrl: `${context.baseUrl}/${type}/${id}`,
    ...(row.body === null ? {} : { resource: parseBody(row.body) }),
    request: { method: row.deleted ? 'DELETE' : 'PUT', url: `${type}/${id}` },
    response: {
      status: row.deleted ? '204' : row.version === 1 ? '201' : '200',
      etag: `W/"${row.version}"`,
      lastModified: row.last_updated.toISOString(),
    },
  };
}
