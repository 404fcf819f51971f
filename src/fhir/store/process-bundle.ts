import type { FhirRouter } from '@medplum/fhir-router';
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import { type BundleOptions, type EntryCall, inProcessingOrder, parseEntry, responseEntry } from './bundle-entry.ts';
import { runFhirCall } from './fhir-router.ts';
import { processTransaction } from './process-transaction.ts';
import { referencesIn } from './rewrite-references.ts';
import type { SqlRepository } from './sql-repository.ts';

/**
 * Processes a batch or a transaction. Not FhirRouter's own way, which resolves conditions outside the transaction,
 * passes over entries without a method, does not take more than 8 entries with a condition, nor more than 50 updates.
 * Throws RESOURCE_INVALID where the Bundle itself is malformed, and in a transaction whatever its first failing entry
 * throws; then nothing is stored.
 */
export async function processBundle(
  router: FhirRouter,
  repository: SqlRepository,
  given: unknown,
  options: BundleOptions,
): Promise<Bundle> {
  const { validator } = repository.context;
  const bundle = given as Bundle;
  const type = typeof given === 'object' && given !== null ? bundle.type : undefined;
  if (bundle?.resourceType !== 'Bundle' || (type !== 'batch' && type !== 'transaction')) {
    const message = 'The base takes a Bundle of type batch or transaction.';
    throw new PredictionError('RESOURCE_INVALID', message, { issues: [{ message, expression: 'Bundle.type' }] });
  }
  const entries = Array.isArray(bundle.entry) ? bundle.entry : [];
  // An entry that is malformed must fail a batch's entry, not the batch.
  const { entry: _entries, ...envelope } = bundle;
  const findings = validator.findings(type === 'batch' ? envelope : bundle, 'Bundle', { entries: false });
  const first = findings[0];
  if (first) throw new PredictionError('RESOURCE_INVALID', first.message, { issues: findings });
  refuseVersionedFullUrls(entries);
  return type === 'batch'
    ? processBatch(router, repository, entries, options)
    : processTransaction(router, repository, entries, options);
}

async function processBatch(
  router: FhirRouter,
  repository: SqlRepository,
  entries: readonly BundleEntry[],
  options: BundleOptions,
): Promise<Bundle> {
  const { baseUrl } = repository.context;
  const responses: BundleEntry[] = new Array(entries.length);
  const fail = (index: number, error: unknown) => {
    const { status, outcome } = options.describeError(error);
    responses[index] = { response: { status: String(status), outcome } };
  };
  const calls: EntryCall[] = [];
  for (const [index, entry] of entries.entries()) {
    try {
      calls.push(parseEntry(isObject(entry) ? entry : {}, index, baseUrl));
    } catch (error) {
      fail(index, error);
    }
  }
  const unknowable = new Set(
    calls.flatMap((call) => (call.method === 'POST' && call.resource && call.fullUrl ? [call.fullUrl] : [])),
  );
  for (const call of inProcessingOrder(calls)) {
    try {
      refuseLinks(call, unknowable);
      const { method, url, resource, ifMatch, criteria } = call;
      const ifNoneExist = method === 'POST' ? criteria : undefined;
      const asked = { method, url, body: resource, ifMatch, ifNoneExist };
      const result = await runFhirCall(router, repository, asked, options.guard);
      responses[call.index] = responseEntry(call, result, baseUrl, options);
    } catch (error) {
      fail(call.index, error);
    }
  }
  return { resourceType: 'Bundle', type: 'batch-response', ...(responses.length === 0 ? {} : { entry: responses }) };
}

/** The entries of a batch stand alone: a link to one whose id is not known yet would point nowhere for ever. */
function refuseLinks(call: EntryCall, unknowable: ReadonlySet<string>): void {
  const link =
    unknowable.size === 0 ? undefined : referencesIn(call.resource).find((reference) => unknowable.has(reference));
  if (link === undefined) return;
  const message = `${link} is created in the same batch, where entries cannot refer to each other: send a transaction.`;
  throw new PredictionError('RESOURCE_INVALID', message, {
    issues: [{ message, expression: `Bundle.entry[${call.index}].resource` }],
  });
}

function refuseVersionedFullUrls(entries: readonly BundleEntry[]): void {
  for (const [index, entry] of entries.entries()) {
    if (!isObject(entry) || !String(entry.fullUrl ?? '').includes('/_history/')) continue;
    const message = 'fullUrl must not name a version.';
    throw new PredictionError('RESOURCE_INVALID', message, {
      issues: [{ message, expression: `Bundle.entry[${index}].fullUrl` }],
    });
  }
}

function isObject(value: unknown): value is BundleEntry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
