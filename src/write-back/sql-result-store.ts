import type { Coding, Resource } from '@medplum/fhirtypes';
import { readResource, readVersion } from '../fhir/store/read-resource.ts';
import type { SqlRepositoryOptions, StoreContext } from '../fhir/store/store-context.ts';
import { createResource, updateResource } from '../fhir/store/write-resource.ts';
import type { Sql } from '../platform/database.ts';
import { type ErrorCode, PredictionError } from '../platform/errors.ts';
import type { ResultStore, Stored } from './result-store.ts';

/** The own FHIR store as write-back sees it, on the transaction that also keeps the outcome. */
export function openSqlResultStore(
  options: Omit<SqlRepositoryOptions, 'database' | 'tenant'>,
  sql: Sql,
  tenant: string,
): ResultStore {
  const context: StoreContext = { ...options, sql, tenant, inTransaction: (work) => work(context) };
  return {
    async read<Kind extends Resource>(type: Kind['resourceType'], id: string) {
      return (await ifThere(readResource(context, type, id))) as Stored<Kind> | undefined;
    },
    async readFirstVersion<Kind extends Resource>(type: Kind['resourceType'], id: string) {
      return (await ifThere(readVersion(context, type, id, '1'))) as Stored<Kind> | undefined;
    },
    async readTags(type, ids) {
      const { rows } = await sql.query<{ id: string; tags: string | null }>(
        `select id, body->'meta'->'tag' as tags from resources
         where tenant = $1 and type = $2 and id = any($3) and not deleted`,
        [tenant, type, ids],
      );
      return new Map(rows.map(({ id, tags }) => [id, tags === null ? [] : (JSON.parse(tags) as Coding[])]));
    },
    async create<Kind extends Resource>(resource: Kind) {
      const { resource: stored } = await rejecting(createResource(context, resource));
      return stored as Stored<Kind>;
    },
    async createWithIdIfAbsent<Kind extends Resource>(resource: Stored<Kind>) {
      try {
        const { resource: stored } = await rejecting(createResource(context, resource, resource.id));
        return stored as Stored<Kind>;
      } catch (error) {
        if (!hasCode(error, 'VERSION_CONFLICT')) throw error;
        return (await readOrRestore(context, resource)) as Stored<Kind>;
      }
    },
    async update<Kind extends Resource>(resource: Stored<Kind>) {
      const { versionId } = resource.meta ?? {};
      const { resource: stored } = await rejecting(updateResource(context, resource, versionId, { replaceMeta: true }));
      return stored as Stored<Kind>;
    },
  };
}

async function readOrRestore(context: StoreContext, resource: Stored<Resource>): Promise<Resource> {
  const found = await ifThere(readResource(context, resource.resourceType, resource.id));
  return found ?? (await rejecting(updateResource(context, resource))).resource;
}

/** Undefined where there is no such resource, or it was deleted. */
async function ifThere(reading: Promise<Resource>): Promise<Resource | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (hasCode(error, 'RESOURCE_UNKNOWN', 'RESOURCE_DELETED')) return undefined;
    throw error;
  }
}

/** A resource the store will not have is a rejected write, whatever its reason. */
async function rejecting<Result>(write: Promise<Result>): Promise<Result> {
  try {
    return await write;
  } catch (error) {
    if (!(error instanceof PredictionError) || error.code !== 'RESOURCE_INVALID') throw error;
    throw new PredictionError(
      'WRITE_REJECTED',
      `The store refuses the result, and nothing was kept: ${error.message}`,
      {
        issues: error.issues,
        cause: error,
      },
    );
  }
}

function hasCode(error: unknown, ...codes: ErrorCode[]): boolean {
  return error instanceof PredictionError && codes.includes(error.code);
}
