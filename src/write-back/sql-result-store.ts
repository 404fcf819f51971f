import type { Resource } from '@medplum/fhirtypes';
import { conditionalCreate } from '../fhir/store/conditional.ts';
import { readResource } from '../fhir/store/read-resource.ts';
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
      try {
        return (await readResource(context, type, id)) as Stored<Kind>;
      } catch (error) {
        if (hasCode(error, 'RESOURCE_UNKNOWN', 'RESOURCE_DELETED')) return undefined;
        throw error;
      }
    },
    async create<Kind extends Resource>(resource: Kind) {
      const { resource: stored } = await rejecting(createResource(context, resource));
      return stored as Stored<Kind>;
    },
    async createWithIdIfAbsent(resource) {
      try {
        await rejecting(createResource(context, resource, resource.id));
      } catch (error) {
        if (!hasCode(error, 'VERSION_CONFLICT')) throw error;
        await restoreIfDeleted(context, resource);
      }
    },
    async createIfAbsent<Kind extends Resource>(
      resource: Kind,
      { system, value }: { system?: string; value?: string },
    ) {
      const criteria = new URLSearchParams({ identifier: `${escaped(system)}|${escaped(value)}` }).toString();
      const { resource: stored, created } = await rejecting(conditionalCreate(context, resource, criteria));
      return { resource: stored as Stored<Kind>, created };
    },
    async update<Kind extends Resource>(resource: Stored<Kind>) {
      const { resource: stored } = await rejecting(updateResource(context, resource, resource.meta?.versionId));
      return stored as Stored<Kind>;
    },
  };
}

async function restoreIfDeleted(context: StoreContext, resource: Resource & { id: string }): Promise<void> {
  try {
    await readResource(context, resource.resourceType, resource.id);
  } catch (error) {
    if (!hasCode(error, 'RESOURCE_DELETED')) throw error;
    await rejecting(updateResource(context, resource));
  }
}

/** A resource the store will not have is a rejected write, whatever its reason. */
async function rejecting<Result>(write: Promise<Result>): Promise<Result> {
  try {
    return await write;
  } catch (error) {
    if (!(error instanceof PredictionError) || !hasCode(error, 'RESOURCE_INVALID', 'MULTIPLE_MATCHES')) throw error;
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

/** `,`, `|`, `$` and the backslash mean something in a search. */
function escaped(text = ''): string {
  return text.replace(/[\\,|$]/g, '\\$&');
}
