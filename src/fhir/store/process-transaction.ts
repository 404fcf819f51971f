import { allOk, created } from '@medplum/core';
import type { FhirResponse, FhirRouter } from '@medplum/fhir-router';
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';
import { databaseErrorCode } from '../../platform/database-error.ts';
import { PredictionError } from '../../platform/errors.ts';
import { isFhirId } from '../reference.ts';
import { type BundleOptions, type EntryCall, inProcessingOrder, parseEntry, responseEntry } from './bundle-entry.ts';
import type { CallGuard } from './call-guard.ts';
import { findMatch, parseCriteria } from './conditional.ts';
import { parseIfMatch, runFhirCall } from './fhir-router.ts';
import { insertNew } from './insert-new.ts';
import { namingEntry } from './naming-entry.ts';
import { type PlannedCall, planTransaction, refuseRepeated } from './plan-transaction.ts';
import { requireSubject } from './require-subject.ts';
import { referencesIn, rewriteLinks } from './rewrite-references.ts';
import type { SqlRepository } from './sql-repository.ts';
import { stamped } from './stamped.ts';
import { createResource, updateResource } from './write-resource.ts';

/**
 * Processes a transaction: all or nothing. Criteria are locked and matched inside the database's transaction, so that
 * the ids that references are rewritten to are those that are stored. Throws the first failure, naming its entry.
 */
export async function processTransaction(
  router: FhirRouter,
  repository: SqlRepository,
  entries: readonly BundleEntry[],
  options: BundleOptions,
): Promise<Bundle> {
  const { baseUrl } = repository.context;
  const calls = entries.map((entry, index) => parseEntry(entry, index, baseUrl));
  refuseRepeated(
    calls.map((call) => call.fullUrl),
    'fullUrl',
    'fullUrl is given twice in the Bundle.',
  );
  if (options.guard !== undefined) for (const call of calls) await guardEntry(call, options.guard);
  return retryingDeadlocks(() => repository.withTransaction((tx) => run(router, tx, calls, options)));
}

/** What an entry writes, and what its conditional references ask for; reads and deletes are guarded where they are run. */
async function guardEntry(call: EntryCall, guard: CallGuard): Promise<void> {
  const { index, method, type, id, criteria, resource, ifMatch } = call;
  await namingEntry(index, async () => {
    if (resource !== undefined) {
      guard.before({
        interaction: method === 'POST' ? 'create' : 'update',
        type,
        ...(id === undefined ? {} : { id }),
        conditional: criteria !== undefined,
        versioned: ifMatch !== undefined,
        query: [],
        resource,
      });
    }
    for (const reference of referencesIn(resource)) {
      const [, referenced] = conditionalReference.exec(reference) ?? [];
      if (referenced === undefined) continue;
      const query = [...new URLSearchParams(reference.slice(reference.indexOf('?') + 1))];
      guard.before({ interaction: 'search-type', type: referenced, conditional: false, versioned: false, query });
    }
  });
}

const conditionalReference = /^([A-Z][A-Za-z]+)\?(.+)$/;

async function run(
  router: FhirRouter,
  tx: SqlRepository,
  calls: readonly EntryCall[],
  options: BundleOptions,
): Promise<Bundle> {
  const deletedIds = idsDeletedByType(calls);
  const planned = await planTransaction(tx, calls, deletedIds);
  const linked = await link(tx, planned, deletedIds);
  const results = new Map<number, FhirResponse>();
  const ordered = inProcessingOrder(linked) as PlannedCall[];
  for (const call of ordered.filter(({ method }) => method === 'DELETE'))
    results.set(
      call.index,
      await namingEntry(call.index, () => execute(router, tx, call, { results, guard: options.guard })),
    );
  for (const [index, resource] of await createInBulk(tx, linked)) results.set(index, [created, resource]);
  const responses: BundleEntry[] = new Array(calls.length);
  for (const call of ordered) {
    const result =
      results.get(call.index) ??
      (await namingEntry(call.index, () => execute(router, tx, call, { results, guard: options.guard })));
    results.set(call.index, result);
    responses[call.index] = responseEntry(call, result, tx.context.baseUrl, options);
  }
  return { resourceType: 'Bundle', type: 'transaction-response', entry: responses };
}

/** Transactions lock in one order, but what else writes to the database may not: it ends one of two that wait for each other. */
async function retryingDeadlocks<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const code = databaseErrorCode(error instanceof PredictionError ? error.cause : error);
      if (code !== '40P01' && code !== '40001') throw error;
      if (attempt === 3) {
        const message =
          'Other transactions keep writing the same resources; nothing of this one was stored. Send it again.';
        throw new PredictionError('VERSION_CONFLICT', message, { cause: error });
      }
    }
  }
}

/** Deletes come first: what they delete is no match for the other entries. */
function idsDeletedByType(calls: readonly EntryCall[]): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { method, type, id } of calls) {
    if (method !== 'DELETE' || id === undefined) continue;
    const sameType = ids.get(type) ?? [];
    sameType.push(id);
    ids.set(type, sameType);
  }
  return ids;
}

/** Rewrites links to other entries, and conditional references, to what they stand for. */
async function link(
  tx: SqlRepository,
  planned: readonly PlannedCall[],
  deletedIds: ReadonlyMap<string, readonly string[]>,
): Promise<PlannedCall[]> {
  const targets = new Map(planned.flatMap(({ fullUrl, target }) => (fullUrl && target ? [[fullUrl, target]] : [])));
  for (const call of planned) {
    for (const reference of referencesIn(call.resource)) {
      const [, type, criteria] = conditionalReference.exec(reference) ?? [];
      if (type === undefined || criteria === undefined || targets.has(reference)) continue;
      const match = await namingEntry(call.index, async () =>
        findMatch(tx.context, parseCriteria(type, criteria), deletedIds.get(type)),
      );
      if (!match) {
        const message = `Bundle.entry[${call.index}]: the conditional reference to a ${type} matches nothing.`;
        throw new PredictionError('VERSION_CONFLICT', message, {
          issues: [{ message, code: 'not-found', expression: `Bundle.entry[${call.index}].resource` }],
        });
      }
      targets.set(reference, `${type}/${match.id}`);
    }
  }
  const linked: PlannedCall[] = [];
  for (const call of planned) {
    linked.push(call.resource ? { ...call, resource: linkedResource(tx, call, call.resource, targets) } : call);
    if (linked.length % checkedPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return linked;
}

/** After so many resources other work of the process gets its turn. */
const checkedPerTurn = 100;

function linkedResource(
  tx: SqlRepository,
  { index, fullUrl }: PlannedCall,
  resource: Resource,
  targets: ReadonlyMap<string, string>,
): Resource {
  const base = /^(https?:\/\/.*\/)[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.exec(fullUrl ?? '')?.[1];
  const linked = rewriteLinks(
    resource,
    (text, isReference) =>
      targets.get(text) ?? (isReference && base !== undefined ? targets.get(base + text) : undefined),
  );
  const path = `Bundle.entry[${index}].resource`;
  tx.context.validator.validate(linked, path);
  requireSubject(linked, tx.context.baseUrl, path);
  return linked;
}

/**
 * Creates what only needs creating, in few statements: an entry of its own each would hold the database for as many round
 * trips. What is there already is left to be updated, or refused, entry by entry.
 * @returns the created resources by the index of their entries
 */
async function createInBulk(
  tx: SqlRepository,
  calls: readonly PlannedCall[],
): Promise<Map<number, Resource & { id: string }>> {
  const first = new Map<number, Resource & { id: string }>();
  for (const { index, method, resource, target, existing, sameAs, ifMatch } of calls) {
    const plain = (method === 'POST' || method === 'PUT') && !existing && sameAs === undefined && ifMatch === undefined;
    const id = target?.split('/')[1];
    if (plain && resource && id !== undefined && isFhirId(id)) first.set(index, stamped(tx.context, resource, id, 1));
  }
  const stored = await insertNew(tx.context, [...first.values()]);
  return new Map([...first].filter(([, resource]) => stored.has(`${resource.resourceType}/${resource.id}`)));
}

async function execute(
  router: FhirRouter,
  tx: SqlRepository,
  call: PlannedCall,
  { results, guard }: { readonly results: ReadonlyMap<number, FhirResponse>; readonly guard: CallGuard | undefined },
): Promise<FhirResponse> {
  const { resource, target = '', existing } = call;
  if (existing) return [allOk, existing];
  const earlier = call.sameAs === undefined ? undefined : results.get(call.sameAs)?.[1];
  if (earlier) return [allOk, earlier];
  const id = target.split('/')[1] ?? '';
  if (call.method === 'POST' && resource) return [created, (await createResource(tx.context, resource, id)).resource];
  if (call.method === 'PUT' && resource) {
    const written = await updateResource(tx.context, { ...resource, id }, parseIfMatch(call.ifMatch));
    return [written.created ? created : allOk, written.resource];
  }
  return runFhirCall(router, tx, { method: call.method, url: call.url, ifMatch: call.ifMatch }, guard);
}
