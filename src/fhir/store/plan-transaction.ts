import type { Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import type { EntryCall } from './bundle-entry.ts';
import { criteriaKey, findMatch, lockNames, parseCriteria, refuseTaken } from './conditional.ts';
import { namingEntry } from './naming-entry.ts';
import type { ParsedSearch } from './parse-search.ts';
import type { SqlRepository } from './sql-repository.ts';

/** A call whose criteria are understood. */
interface ReadCall extends EntryCall {
  readonly search?: ParsedSearch;
  /** Equal where the criteria select the same. */
  readonly key?: string;
}

/** A call whose resource has got its identity. */
export interface PlannedCall extends ReadCall {
  readonly target?: string;
  /** If-None-Exist has found this one: nothing is written. */
  readonly existing?: Resource & { id: string };
  /** Another entry with the same If-None-Exist creates the resource. */
  readonly sameAs?: number;
}

/**
 * Gives every call of a transaction the resource it is about, and holds it until the transaction ends. Runs inside the
 * transaction. Throws RESOURCE_INVALID where two entries write one resource, MULTIPLE_MATCHES, PARAMETER_INVALID.
 * @param deletedIds what the transaction deletes, by type: no match for the other entries
 */
export async function planTransaction(
  tx: SqlRepository,
  calls: readonly EntryCall[],
  deletedIds: ReadonlyMap<string, readonly string[]>,
): Promise<PlannedCall[]> {
  const read = await readCriteria(tx, calls);
  refuseRepeated(
    identifiedBy(read),
    'request',
    'another entry has the same criteria: they stand for one resource, which a transaction writes once.',
  );
  await lockNames(
    tx.context,
    read.flatMap(({ key }) => key ?? []),
  );
  const planned = await identify(tx, read, deletedIds);
  refuseRepeated(
    planned.map((call) => (call.existing || call.sameAs !== undefined ? undefined : call.target)),
    'request.url',
    'the same resource is written twice in the transaction.',
  );
  await lockNames(
    tx.context,
    planned.flatMap(({ target, existing }) => (target && !existing ? [target] : [])),
  );
  return planned;
}

async function readCriteria(tx: SqlRepository, calls: readonly EntryCall[]): Promise<ReadCall[]> {
  const read: ReadCall[] = [];
  for (const call of calls) {
    const { type, criteria } = call;
    if (criteria === undefined) read.push(call);
    else {
      const search = await namingEntry(call.index, async () => parseCriteria(type, criteria));
      read.push({ ...call, search, key: await namingEntry(call.index, async () => criteriaKey(tx.context, search)) });
    }
  }
  return read;
}

/** What each call names a resource by, once for all conditional creates that share their criteria. */
function identifiedBy(calls: readonly ReadCall[]): (string | undefined)[] {
  const creating = new Set<string>();
  return calls.map(({ key, method }) => {
    if (key === undefined || (method === 'POST' && creating.has(key))) return undefined;
    if (method === 'POST') creating.add(key);
    return key;
  });
}

async function identify(
  tx: SqlRepository,
  calls: readonly ReadCall[],
  deletedIds: ReadonlyMap<string, readonly string[]>,
): Promise<PlannedCall[]> {
  const planned: PlannedCall[] = [];
  const firstWith = new Map<string, PlannedCall>();
  for (const call of calls) {
    const next = await namingEntry(call.index, async (): Promise<PlannedCall> => {
      const { method, type, search, resource, id } = call;
      if (method === 'GET' || (method === 'POST' && !resource)) return call;
      if (method === 'DELETE' || !resource) return { ...call, target: `${type}/${id}` };
      if (method === 'POST') return planCreate(tx, call, firstWith, deletedIds);
      if (search === undefined) {
        if (resource.id !== id)
          throw new PredictionError('RESOURCE_INVALID', `The resource's id must be '${id}', as in request.url.`);
        return { ...call, target: `${type}/${id}` };
      }
      const match = await findMatch(tx.context, search, deletedIds.get(type));
      if (match && resource.id !== undefined && resource.id !== match.id) {
        throw new PredictionError(
          'RESOURCE_INVALID',
          `The criteria match ${type}/${match.id}, but the resource's id is ${resource.id}.`,
        );
      }
      if (!match && resource.id !== undefined) await refuseTaken(tx.context, type, resource.id);
      return { ...call, target: `${type}/${match?.id ?? resource.id ?? tx.generateId()}` };
    });
    planned.push(next);
  }
  return planned;
}

async function planCreate(
  tx: SqlRepository,
  call: ReadCall,
  firstWith: Map<string, PlannedCall>,
  deletedIds: ReadonlyMap<string, readonly string[]>,
): Promise<PlannedCall> {
  const { type, search, key } = call;
  if (search === undefined || key === undefined) return { ...call, target: `${type}/${tx.generateId()}` };
  const first = firstWith.get(key);
  if (first) return { ...call, target: first.target, existing: first.existing, sameAs: first.index };
  const existing = await findMatch(tx.context, search, deletedIds.get(type));
  const planned = { ...call, existing, target: `${type}/${existing?.id ?? tx.generateId()}` };
  firstWith.set(key, planned);
  return planned;
}

/** Throws RESOURCE_INVALID at the second entry with the same name. */
export function refuseRepeated(names: readonly (string | undefined)[], element: string, message: string): void {
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
