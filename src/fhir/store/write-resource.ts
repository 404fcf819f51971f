import type { Meta, Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import { stringifyFhirJson } from '../fhir-json.ts';
import { isFhirId } from '../reference.ts';
import { indexRow } from './index-row.ts';
import { intervalColumns } from './insert-new.ts';
import { requireSubject } from './require-subject.ts';
import { stamped, withCarriedMeta } from './stamped.ts';
import type { StoreContext } from './store-context.ts';

export interface Written {
  readonly resource: Resource & { id: string };
  /** True where the write made the resource, or made it again after its deletion. */
  readonly created: boolean;
}

/**
 * Stores a new resource as version 1 under a new id, or under `assignedId`.
 * Throws RESOURCE_INVALID, or VERSION_CONFLICT where the assigned id is taken.
 */
export async function createResource(context: StoreContext, given: Resource, assignedId?: string): Promise<Written> {
  context.validator.validate(given);
  requireSubject(given, context.baseUrl);
  const id = assignedId ?? context.newId();
  return context.inTransaction(async (tx) => {
    const resource = stamped(tx, given, id, 1);
    if (!(await insertFirst(tx, resource))) {
      throw new PredictionError('VERSION_CONFLICT', `${given.resourceType}/${id} exists already.`);
    }
    return { resource, created: true };
  });
}

export interface UpdateOptions {
  /** Tags and security labels become exactly those of the resource: the way to take one away. */
  readonly replaceMeta?: boolean;
}

/**
 * Stores the next version of a resource, or its first where there is none (a client may choose the id). Tags and
 * security labels of the current version stay, unless `replaceMeta` says otherwise.
 * @param ifMatch the version that must be current; compared while the row is locked
 * Throws RESOURCE_INVALID, or VERSION_CONFLICT where `ifMatch` does not hold.
 */
export async function updateResource(
  context: StoreContext,
  given: Resource,
  ifMatch?: string,
  { replaceMeta = false }: UpdateOptions = {},
): Promise<Written> {
  context.validator.validate(given);
  requireSubject(given, context.baseUrl);
  const id = given.id;
  if (id === undefined || !isFhirId(id)) {
    throw new PredictionError(
      'RESOURCE_INVALID',
      `An update needs the id of the ${given.resourceType}, in the body as in the URL.`,
    );
  }
  return context.inTransaction(async (tx) => {
    let current = await lockRow(tx, given.resourceType, id);
    if (!current) {
      requireMatch(ifMatch, undefined, `${given.resourceType}/${id}`);
      const first = stamped(tx, given, id, 1);
      if (await insertFirst(tx, first)) return { resource: first, created: true };
      current = await lockRow(tx, given.resourceType, id);
    }
    if (!current) throw new PredictionError('INTERNAL', `${given.resourceType}/${id} is neither there nor absent.`);
    requireMatch(ifMatch, current, `${given.resourceType}/${id}`);
    const meta = replaceMeta || current.meta === null ? undefined : (JSON.parse(current.meta) as Meta);
    const resource = stamped(tx, meta ? withCarriedMeta(given, meta) : given, id, current.version + 1);
    await replaceCurrent(tx, resource, current.version + 1);
    return { resource, created: current.deleted };
  });
}

/** Deletes a resource; its history stays. Deleting what is not there does nothing. `ifMatch` as for an update. */
export async function deleteResource(context: StoreContext, type: string, id: string, ifMatch?: string): Promise<void> {
  await context.inTransaction(async (tx) => {
    const current = await lockRow(tx, type, id);
    requireMatch(ifMatch, current, `${type}/${id}`);
    if (!current || current.deleted) return;
    const now = tx.clock.now();
    const key = [tx.tenant, type, id, current.version + 1, now];
    await tx.sql.query(
      `update resources set version = $4, deleted = true, last_updated = $5, patients = '{}', encounter = null,
         date_start = null, date_end = null, status = null, codes = '{}', categories = '{}', identifiers = '{}', body = null
       where tenant = $1 and type = $2 and id = $3`,
      key,
    );
    await tx.sql.query(
      `insert into resource_versions (tenant, type, id, version, deleted, last_updated, body)
       values ($1, $2, $3, $4, true, $5, null)`,
      key,
    );
  });
}

interface CurrentRow {
  readonly version: number;
  readonly deleted: boolean;
  /** JSON text; null once deleted. */
  readonly meta: string | null;
}

async function lockRow(context: StoreContext, type: string, id: string): Promise<CurrentRow | undefined> {
  const { rows } = await context.sql.query<CurrentRow>(
    `select version, deleted, body->>'meta' as meta from resources
     where tenant = $1 and type = $2 and id = $3 for update`,
    [context.tenant, type, id],
  );
  return rows[0];
}

function requireMatch(ifMatch: string | undefined, current: CurrentRow | undefined, name: string): void {
  if (ifMatch === undefined || (current && !current.deleted && String(current.version) === ifMatch)) return;
  const held = !current
    ? 'it does not exist'
    : current.deleted
      ? 'it was deleted'
      : `its version is ${current.version}`;
  throw new PredictionError(
    'VERSION_CONFLICT',
    `${name} was not changed: If-Match names version ${ifMatch}, but ${held}. Read it again and repeat the change.`,
  );
}

/** False where the id is taken. */
async function insertFirst(context: StoreContext, resource: Resource & { id: string }): Promise<boolean> {
  const { rowCount } = await context.sql.query(
    `insert into resources (tenant, type, id, version, deleted, last_updated, patients, encounter, date_start,
       date_end, status, codes, categories, identifiers, body)
     values ($1, $2, $3, $4, false, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing`,
    columns(context, resource, 1),
  );
  if (rowCount > 0) await appendVersion(context, resource, 1);
  return rowCount > 0;
}

async function replaceCurrent(
  context: StoreContext,
  resource: Resource & { id: string },
  version: number,
): Promise<void> {
  await context.sql.query(
    `update resources set version = $4, deleted = false, last_updated = $5, patients = $6, encounter = $7,
       date_start = $8, date_end = $9, status = $10, codes = $11, categories = $12, identifiers = $13, body = $14
     where tenant = $1 and type = $2 and id = $3`,
    columns(context, resource, version),
  );
  await appendVersion(context, resource, version);
}

async function appendVersion(
  context: StoreContext,
  resource: Resource & { id: string },
  version: number,
): Promise<void> {
  await context.sql.query(
    `insert into resource_versions (tenant, type, id, version, deleted, last_updated, body)
     values ($1, $2, $3, $4, false, $5, $6)`,
    [
      context.tenant,
      resource.resourceType,
      resource.id,
      version,
      resource.meta?.lastUpdated,
      stringifyFhirJson(resource),
    ],
  );
}

function columns(context: StoreContext, resource: Resource & { id: string }, version: number): unknown[] {
  const row = indexRow(resource, context.baseUrl, context.timeZone);
  return [
    context.tenant,
    resource.resourceType,
    resource.id,
    version,
    resource.meta?.lastUpdated,
    row.patients,
    row.encounter ?? null,
    ...intervalColumns(row),
    row.status ?? null,
    row.codes,
    row.categories,
    row.identifiers,
    stringifyFhirJson(resource),
  ];
}
