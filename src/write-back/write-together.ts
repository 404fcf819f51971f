import type { Meta } from '@medplum/fhirtypes';
import { rowWithMeta } from '../fhir/store/resource-row.ts';
import type { Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { GroupReceipt } from '../platform/group-writer.ts';
import type { ResultResource } from '../results/result-resource.ts';
import { amendReports } from './amend-reports.ts';
import { checkStored } from './check-stored.ts';
import type { OutcomeGroup, WriteReceipt } from './outcome-record.ts';
import { findOutcomes, groupName, readOutcomes, saveOutcomes } from './outcome-table.ts';
import type { PreparedResult } from './prepare-result.ts';
import type { Draft, ResultStore } from './result-store.ts';
import { lastReviews } from './reviews/review-table.ts';
import { type SettledResult, settleOutcomes } from './settle-outcomes.ts';
import type { SettledOutcome } from './settled-outcome.ts';
import { enqueueChanged } from './sinks/enqueue-changed.ts';
import { metaWithSupersededTag } from './superseded-tag.ts';
import type { WriteOptions } from './write-results.ts';

/**
 * Writes results of one tenant inside a transaction that holds the locks of their groups. The number of statements does
 * not depend on how many results there are, but for amended reports. A result that somebody else changed is refused alone, with nothing kept of
 * it; every other failure ends the transaction.
 * @returns one receipt per result, in the order of the results
 */
export async function writeTogether(
  sql: Sql,
  store: ResultStore,
  tenant: string,
  results: readonly PreparedResult[],
  options: Pick<WriteOptions, 'sinks' | 'reportSinks'>,
): Promise<GroupReceipt<WriteReceipt>[]> {
  const real = results.flatMap(({ record }) => (record.whatIf ? [] : [record]));
  const identifiers = [...new Set(real.map(({ identifier }) => identifier))];
  const found = real.length === 0 ? [] : await readOutcomes(sql, tenant, identifiers, distinctGroups(real));
  const { existing, refused } = await checkStored(store, found, results);
  const settled = settleOutcomes(
    found,
    results.filter((result) => !refused.has(result)),
  );

  const drafts = new Map(settled.outcomes.flatMap((outcome) => taggedDrafts(outcome)));
  if (drafts.size > 0) {
    await store.insert([...drafts.values()].flatMap(({ result, provenance }) => [result, provenance]));
  }
  const fresh = [...drafts.values()].map(
    ({ result: { resource } }) => [`${resource.resourceType}/${resource.id}`, resource] as const,
  );
  const reviews = await lastReviews(
    sql,
    tenant,
    settled.amendments.map(({ resourceId }) => resourceId),
  );
  const amended = await amendReports(store, settled.amendments, new Map([...existing, ...fresh]), reviews);
  const repeatedWhatIfs = await saveAll(sql, tenant, settled.outcomes);
  const metas = await alignTags(store, settled.outcomes);
  const changed = settled.outcomes.filter(
    ({ row: { identifier, resourceId, resourceType } }) =>
      drafts.has(identifier) || amended.has(identifier) || metas.has(`${resourceType}/${resourceId}`),
  );
  await enqueueChanged(
    sql,
    tenant,
    changed.map(({ row }) => row),
    options,
  );

  const resourceOf = ({ row: { identifier, resourceId, resourceType }, tagged }: SettledOutcome) => {
    const written = amended.get(identifier) ?? drafts.get(identifier)?.result.resource;
    if (written !== undefined || tagged === undefined) return written;
    const name = `${resourceType}/${resourceId}`;
    const stored = existing.get(name);
    const meta = metas.get(name);
    if (stored === undefined) return undefined;
    return meta === undefined ? stored : { ...stored, meta };
  };
  const receiptOf = (result: PreparedResult, { outcome, repeated, superseded, created }: SettledResult) => {
    const resource = result.drafts === undefined ? undefined : resourceOf(outcome);
    const whatIf = repeatedWhatIfs.get(outcome.row.identifier);
    return {
      row: whatIf ?? outcome.row,
      repeated: repeated || whatIf !== undefined,
      superseded,
      ...(resource === undefined ? {} : { resource }),
      created,
    };
  };
  const settledResults = settled.results[Symbol.iterator]();
  return results.map((result): GroupReceipt<WriteReceipt> => {
    const error = refused.get(result);
    if (error !== undefined) return { error };
    const next = settledResults.next();
    if (next.done) throw new PredictionError('INTERNAL', 'A result was not settled.');
    return { receipt: receiptOf(result, next.value) };
  });
}

function distinctGroups<Group extends OutcomeGroup>(groups: readonly Group[]): Group[] {
  return [...new Map(groups.map((group) => [groupName(group), group])).values()];
}

/**
 * Saves what is new and what changed. No lock keeps two writers from the same what-if outcome; the one who comes second
 * finds it there.
 * @returns what-if outcomes that were there, by identifier
 */
async function saveAll(sql: Sql, tenant: string, outcomes: readonly SettledOutcome[]) {
  const fresh = outcomes.filter(({ isNew }) => isNew).map(({ row }) => row);
  const updates = outcomes.filter(({ isNew, changed }) => !isNew && changed).map(({ row }) => row);
  const inserted = await saveOutcomes(sql, tenant, fresh, updates);
  const there = fresh.filter(({ identifier }) => !inserted.has(identifier));
  if (there.length === 0) return new Map();
  if (!there.every(({ whatIf }) => whatIf))
    throw new PredictionError('INTERNAL', 'An outcome was written by somebody else although its group was locked.');
  const identifiers = there.map(({ identifier }) => identifier);
  return new Map((await findOutcomes(sql, tenant, identifiers)).map((row) => [row.identifier, row]));
}

/** The resources to be stored for an outcome, by its identifier; one that is superseded already is born with the tag. */
function taggedDrafts({ row, drafts }: SettledOutcome) {
  if (drafts === undefined) return [];
  const { result, provenance } = drafts;
  return [[row.identifier, { result: tagged(result, row.supersededBy !== undefined), provenance }] as const];
}

function tagged(draft: Draft<ResultResource>, superseded: boolean): Draft<ResultResource> {
  const { resource, row } = draft;
  const before = resource.meta ?? {};
  const meta = metaWithSupersededTag(before, superseded);
  return meta === before ? draft : { resource: { ...resource, meta }, row: rowWithMeta(row, resource, meta) };
}

/** Whatever clients did to the tags since: the rows decide. */
async function alignTags(store: ResultStore, outcomes: readonly SettledOutcome[]): Promise<ReadonlyMap<string, Meta>> {
  const wanted = new Map(
    outcomes.flatMap(({ row: { resourceId, resourceType, supersededBy }, tagged }) => {
      const superseded = supersededBy !== undefined;
      return resourceId === undefined || tagged === undefined || tagged === superseded
        ? []
        : [[`${resourceType}/${resourceId}`, superseded] as const];
    }),
  );
  return wanted.size === 0 ? new Map() : await store.tagSuperseded(wanted);
}
