import type { Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import { parseSearch, refused } from './parse-search.ts';
import { searchResources } from './search-resources.ts';
import type { StoreContext } from './store-context.ts';
import { createResource, updateResource, type Written } from './write-resource.ts';

export interface ConditionalWritten extends Written {
  /** True where nothing was written, since the resource was there. */
  readonly unchanged: boolean;
}

/**
 * Creates a resource unless one matches `criteria` (a query without `?`): that one is returned. Two callers with the same criteria
 * take turns, so that only one creates. Throws MULTIPLE_MATCHES, PARAMETER_INVALID, RESOURCE_INVALID.
 */
export async function conditionalCreate(
  context: StoreContext,
  resource: Resource,
  criteria: string,
  assignedId?: string,
): Promise<ConditionalWritten> {
  return context.inTransaction(async (tx) => {
    const match = await lockedMatch(tx, resource.resourceType, criteria);
    if (match) return { resource: match, created: false, unchanged: true };
    return { ...(await createResource(tx, resource, assignedId)), unchanged: false };
  });
}

/**
 * Updates the one resource that matches `criteria`, or creates one where none does: under the body's id, if it
 * has one. Throws as `conditionalCreate`, and RESOURCE_INVALID where the body's id is not the match's.
 */
export async function conditionalUpdate(
  context: StoreContext,
  resource: Resource,
  criteria: string,
  ifMatch?: string,
): Promise<Written> {
  return context.inTransaction(async (tx) => {
    const match = await lockedMatch(tx, resource.resourceType, criteria);
    if (!match && resource.id === undefined && ifMatch === undefined) return createResource(tx, resource);
    if (match && resource.id !== undefined && resource.id !== match.id) {
      const message = `The criteria match ${match.resourceType}/${match.id}, but the body's id is ${resource.id}: leave the id out, or name that one.`;
      throw new PredictionError('RESOURCE_INVALID', message, {
        issues: [{ message, expression: `${resource.resourceType}.id` }],
      });
    }
    return updateResource(tx, { ...resource, id: match?.id ?? resource.id ?? tx.newId() }, ifMatch);
  });
}

/** Waits until no other transaction works on the same criteria, then finds their one match. */
export async function lockedMatch(
  tx: StoreContext,
  type: string,
  criteria: string,
): Promise<(Resource & { id: string }) | undefined> {
  await lockCriteria(tx, [{ type, criteria }]);
  return findMatch(tx, type, criteria);
}

/** The one match of the criteria, if there is one. Throws MULTIPLE_MATCHES. */
export async function findMatch(
  context: StoreContext,
  type: string,
  criteria: string,
): Promise<(Resource & { id: string }) | undefined> {
  const search = parseSearch(type, new URLSearchParams(criteria.replace(/^\?/, '')));
  if (search.filters.length === 0)
    throw refused('criteria', `A conditional interaction on ${type} needs at least one search parameter.`);
  const { resources } = await searchResources(context, {
    ...search,
    count: 2,
    sort: [],
    countOnly: false,
    total: false,
    after: undefined,
  });
  if (resources.length > 1) {
    throw new PredictionError(
      'MULTIPLE_MATCHES',
      `More than one ${type} matches the criteria; make them select one, as by identifier.`,
    );
  }
  return resources[0];
}

/** Holds the criteria until the transaction ends, so that who else has them waits. */
export async function lockCriteria(
  tx: StoreContext,
  all: readonly { readonly type: string; readonly criteria: string }[],
): Promise<void> {
  await lockNames(
    tx,
    all.map(({ type, criteria }) => criteriaKey(type, criteria)),
  );
}

/** Holds names until the transaction ends; taken in one order by everybody, so that no two wait for each other. */
export async function lockNames(tx: StoreContext, names: readonly string[]): Promise<void> {
  const keys = [...new Set(names)].sort().map((name) => `${tx.tenant} ${name}`);
  if (keys.length === 0) return;
  await tx.sql.query('select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest($1::text[]) as key', [keys]);
}

/** The same for criteria that differ only in the order of their parameters. */
export function criteriaKey(type: string, criteria: string): string {
  const parameters = [...new URLSearchParams(criteria.replace(/^\?/, ''))].map(([name, value]) => `${name}=${value}`);
  return `${type}?${parameters.sort().join('&')}`;
}
