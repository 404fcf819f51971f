import { allOk, created } from '@medplum/core';
import type { FhirResponse, FhirRouter } from '@medplum/fhir-router';
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';
import { databaseErrorCode } from '../../platform/database-error.ts';
import { PredictionError } from '../../platform/errors.ts';
import { type BundleOptions, type EntryCall, inProcessingOrder, parseEntry, responseEntry } from './bundle-entry.ts';
import { criteriaKey, findMatch, lockCriteria, lockNames } from './conditional.ts';
import { parseIfMatch, runFhirCall } from './fhir-router.ts';
import { referencesIn, rewriteLinks } from './rewrite-references.ts';
import type { SqlRepository } from './sql-repository.ts';
import { createResource, updateResource } from './write-resource.ts';

/** A call whose resource has got its identity. */
interface PlannedCall extends EntryCall {
  readonly target?: string;
  /** If-None-Exist has found this one: nothing is written. */
  readonly existing?: Resource & { id: string };
  /** Another entry with the same If-None-Exist creates the resource. */
  readonly sameAs?: number;
}

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
  return retryingDeadlocks(() => repository.withTransaction((tx) => run(router, tx, calls, options)));
}

async function run(
  router: FhirRouter,
  tx: SqlRepository,
  calls: readonly EntryCall[],
  options: BundleOptions,
): Promise<Bundle> {
  await lockCriteria(
    tx.context,
    calls.flatMap(({ type, criteria }) => (criteria === undefined ? [] : [{ type, criteria }])),
  );
  const planned = await plan(tx, calls);
  refuseRepeated(
    planned.map((call) => (call.existing || call.sameAs !== undefined ? undefined : call.target)),
    'request.url',
    'the same resource is written twice in the transaction.',
  );
  await lockNames(
    tx.context,
    planned.flatMap(({ target, existing }) => (target && !existing ? [target] : [])),
  );
  const linked = await link(tx, planned);
  const responses: BundleEntry[] = new Array(calls.length);
  const results = new Map<number, FhirResponse>();
  for (const call of inProcessingOrder(linked) as PlannedCall[]) {
    const result = await namingEntry(call.index, () => execute(router, tx, call, results));
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

async function plan(tx: SqlRepository, calls: readonly EntryCall[]): Promise<PlannedCall[]> {
  const planned: PlannedCall[] = [];
  const firstWith = new Map<string, PlannedCall>();
  for (const call of calls) {
    const next = await namingEntry(call.index, async (): Promise<PlannedCall> => {
      const { method, type, criteria, resource, id } = call;
      if (method === 'GET' || (method === 'POST' && !resource)) return call;
      if (method === 'DELETE' || !resource) return { ...call, target: `${type}/${id}` };
      if (method === 'POST') return planCreate(tx, call, firstWith);
      if (criteria === undefined) {
        if (resource.id !== id)
          throw new PredictionError('RESOURCE_INVALID', `The resource's id must be '${id}', as in request.url.`);
        return { ...call, target: `${type}/${id}` };
      }
      const match = await findMatch(tx.context, type, criteria);
      if (match && resource.id !== undefined && resource.id !== match.id) {
        throw new PredictionError(
          'RESOURCE_INVALID',
          `The criteria match ${type}/${match.id}, but the resource's id is ${resource.id}.`,
        );
      }
      return { ...call, target: `${type}/${match?.id ?? resource.id ?? tx.generateId()}` };
    });
    planned.push(next);
  }
  return planned;
}

async function planCreate(
  tx: SqlRepository,
  call: EntryCall,
  firstWith: Map<string, PlannedCall>,
): Promise<PlannedCall> {
  if (call.criteria === undefined) return { ...call, target: `${call.type}/${tx.generateId()}` };
  const key = criteriaKey(call.type, call.criteria);
  const first = firstWith.get(key);
  if (first) return { ...call, target: first.target, existing: first.existing, sameAs: first.index };
  const existing = await findMatch(tx.context, call.type, call.criteria);
  const planned = { ...call, existing, target: `${call.type}/${existing?.id ?? tx.generateId()}` };
  firstWith.set(key, planned);
  return planned;
}

/** Rewrites links to other entries, and conditional references, to what they stand for. */
async function link(tx: SqlRepository, planned: readonly PlannedCall[]): Promise<PlannedCall[]> {
  const targets = new Map(planned.flatMap(({ fullUrl, target }) => (fullUrl && target ? [[fullUrl, target]] : [])));
  for (const call of planned) {
    for (const reference of referencesIn(call.resource)) {
      const [, type, criteria] = /^([A-Z][A-Za-z]+)\?(.+)$/.exec(reference) ?? [];
      if (type === undefined || criteria === undefined || targets.has(reference)) continue;
      const match = await namingEntry(call.index, () => findMatch(tx.context, type, criteria));
      if (!match) {
        const message = `Bundle.entry[${call.index}]: the conditional reference to a ${type} matches nothing.`;
        throw new PredictionError('VERSION_CONFLICT', message, {
          issues: [{ message, code: 'not-found', expression: `Bundle.entry[${call.index}].resource` }],
        });
      }
      targets.set(reference, `${type}/${match.id}`);
    }
  }
  return planned.map((call) => {
    if (!call.resource) return call;
    const base = /^(https?:\/\/.*\/)[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.exec(call.fullUrl ?? '')?.[1];
    const resource = rewriteLinks(
      call.resource,
      (text, isReference) =>
        targets.get(text) ?? (isReference && base !== undefined ? targets.get(base + text) : undefined),
    );
    tx.context.validator.validate(resource, `Bundle.entry[${call.index}].resource`);
    return { ...call, resource };
  });
}

async function execute(
  router: FhirRouter,
  tx: SqlRepository,
  call: PlannedCall,
  results: ReadonlyMap<number, FhirResponse>,
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
  return runFhirCall(router, tx, { method: call.method, url: call.url, ifMatch: call.ifMatch });
}

/** Says in which entry it was that something failed. */
async function namingEntry<T>(index: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PredictionError)) throw error;
    const at = `Bundle.entry[${index}]`;
    const issues = error.issues.length > 0 ? error.issues : [{ message: error.message }];
    const named = issues.map((issue) => ({
      ...issue,
      expression: issue.expression?.startsWith(at) ? issue.expression : at,
    }));
    throw new PredictionError(error.code, `${at}: ${error.message}`, { issues: named, cause: error });
  }
}

function refuseRepeated(names: readonly (string | undefined)[], element: string, message: string): void {
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (name === undefined) continue;
    if (seen.has(name)) {
      const expression = `Bundle.entry[${index}].${element}`;
      throw new PredictionError('RESOURCE_INVALID', `${expression}: ${message}`, {
        issues: [{ message, code: 'duplicate', expression }],
      });
    }
    seen.add(name);
  }
}
