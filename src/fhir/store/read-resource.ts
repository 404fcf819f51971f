import type { Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import { parseFhirJson } from '../fhir-json.ts';
import type { StoreContext } from './store-context.ts';

export interface StoredRow {
  readonly version: number;
  readonly deleted: boolean;
  /** The resource as JSON text; null once deleted. */
  readonly body: string | null;
}

/** The current version of a resource. Throws RESOURCE_UNKNOWN, or RESOURCE_DELETED. */
export async function readResource(context: StoreContext, type: string, id: string): Promise<Resource> {
  const { rows } = await context.sql.query<StoredRow>(
    'select version, deleted, body from resources where tenant = $1 and type = $2 and id = $3',
    [context.tenant, type, id],
  );
  return bodyOf(rows[0], `${type}/${id}`);
}

/** One version of a resource. Throws RESOURCE_UNKNOWN, or RESOURCE_DELETED where that version is the deletion. */
export async function readVersion(
  context: StoreContext,
  type: string,
  id: string,
  versionId: string,
): Promise<Resource> {
  const name = `${type}/${id}/_history/${versionId}`;
  if (!/^[1-9]\d{0,8}$/.test(versionId)) throw unknownResource(name);
  const { rows } = await context.sql.query<StoredRow>(
    `select version, deleted, body from resource_versions
     where tenant = $1 and type = $2 and id = $3 and version = $4`,
    [context.tenant, type, id, Number(versionId)],
  );
  return bodyOf(rows[0], name);
}

function bodyOf(row: StoredRow | undefined, name: string): Resource {
  if (!row) throw unknownResource(name);
  if (row.deleted || row.body === null) {
    throw new PredictionError('RESOURCE_DELETED', `${name} was deleted; its earlier versions are under _history.`);
  }
  return parseBody(row.body);
}

/** What the database holds was checked or made by this server. */
export function parseBody(body: string): Resource {
  return parseFhirJson(body) as Resource;
}

/** @param name as `Patient/17`, or with `/_history/` and a version */
export function unknownResource(name: string): PredictionError {
  return new PredictionError('RESOURCE_UNKNOWN', `There is no ${name} on this server.`);
}
