import type { Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import { type ParsedSearch, parseSearch, refused } from './parse-search.ts';
import { searchCondition } from './search-condition.ts';
import { resultParameters } from './search-parameters.ts';
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
    if (!match && resource.id !== undefined) await refuseTaken(tx, resource.resourceType, resource.id);
    return updateResource(tx, { ...resource, id: match?.id ?? resource.id ?? tx.newId() }, ifMatch);
  });
}

/** What the criteria do not match must not be overwritten because it has the body's id. Throws VERSION_CONFLICT. */
export async function refuseTaken(tx: StoreContext, type: string, id: string): Promise<void> {
  const { rowCount } = await tx.sql.query(
    'select 1 from resources where tenant = $1 and type = $2 and id = $3 and not deleted',
    [tx.tenant, type, id],
  );
  if (rowCount === 0) return;
  throw new PredictionError(
    'VERSION_CONFLICT',
    `Nothing matches the criteria, and there is another ${type} with the id of the body. Leave the id out, or mend the criteria.`,
  );
}

/** Waits until no other transaction works on the same criteria, then finds their one match. */
async function lockedMatch(
  tx: StoreContext,
  type: string,
  criteria: string,
): Promise<(Resource & { id: string }) | undefined> {
  const search = parseCriteria(type, criteria);
  await lockNames(tx, [criteriaKey(tx, search)]);
  return findMatch(tx, search);
}

/**
 * Reads the criteria of a conditional interaction (a query, with or without `?`). Throws PARAMETER_INVALID, also where
 * there is none, and for what asks about the result of a search: it selects nothing.
 */
export function parseCriteria(type: string, criteria: string): ParsedSearch {
  const parameters = [...new URLSearchParams(criteria.replace(/^\?/, ''))];
  const [shaping] = parameters.find(([name]) => notCriteria.includes(name)) ?? [];
  if (shaping !== undefined)
    throw refused(shaping, `${shaping} does not select a ${type}: leave it out of the criteria.`);
  const search = parseSearch(type, parameters);
  if (search.filters.length === 0)
    throw refused('criteria', `A conditional interaction on ${type} needs at least one search parameter.`);
  return search;
}

const notCriteria: readonly string[] = [...resultParameters, '_page'];

/**
 * The one match of the criteria, if there is one. Throws MULTIPLE_MATCHES.
 * @param exceptIds resources that do not count, since the caller deletes them
 */
export async function findMatch(
  context: StoreContext,
  criteria: ParsedSearch,
  exceptIds: readonly string[] = [],
): Promise<(Resource & { id: string }) | undefined> {
  const { resources } = await searchResources(context, { ...criteria, count: 2 }, exceptIds);
  if (resources.length > 1) {
    throw new PredictionError(
      'MULTIPLE_MATCHES',
      `More than one ${criteria.type} matches the criteria; make them select one, as by identifier.`,
    );
  }
  return resources[0];
}

/** Locks are few and shared by the whole database server; names that share one only wait for each other. */
const lockBuckets = 1024;
/** Keeps these locks apart from all others of the database. */
const lockClass = 7_041_993;

/** Holds names until the transaction ends; taken in one order by everybody, so that no two wait for each other. */
export async function lockNames(tx: StoreContext, names: readonly string[]): Promise<void> {
  const keys = [...new Set(names)].map((name) => `${tx.tenant} ${name}`);
  if (keys.length === 0) return;
  const { rows } = await tx.sql.query<{ bucket: number }>(
    // Criteria (they hold a ?) come before resources, as transactions lock them: so the order is one for everybody.
    `select distinct abs(hashtextextended(key, 0) % ${lockBuckets})::int
       + case when key like '%?%' then 0 else ${lockBuckets} end as bucket from unnest($1::text[]) as key`,
    [keys],
  );
  const buckets = rows.map(({ bucket }) => bucket).sort((one, other) => one - other);
  await tx.sql.query(`select pg_advisory_xact_lock(${lockClass}, bucket) from unnest($1::int[]) as bucket`, [buckets]);
}

/** The same for criteria that select the same, however they are spelled: the conditions that they put to the database. */
export function criteriaKey(context: StoreContext, { type, filters }: ParsedSearch): string {
  const conditions = filters.map((filter) =>
    searchCondition(context, { ...filter, values: filter.values.toSorted() }, (value) =>
      JSON.stringify(Array.isArray(value) ? [...new Set(value)].sort() : value),
    ),
  );
  return `${type}?${[...new Set(conditions)].sort().join('&')}`;
}
