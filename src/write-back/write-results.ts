import type { Database } from '../platform/database.ts';
import { databaseErrorCode } from '../platform/database-error.ts';
import { PredictionError } from '../platform/errors.ts';
import type { GroupReceipt } from '../platform/group-writer.ts';
import { inSlices } from './in-slices.ts';
import type { WriteReceipt } from './outcome-record.ts';
import { lockGroups } from './outcome-table.ts';
import { type PreparedResult, prepareResult, type ResultToWrite } from './prepare-result.ts';
import type { OpenResultStore } from './result-store.ts';
import { retryingConflicts } from './retrying-conflicts.ts';
import { writeTogether } from './write-together.ts';

export interface WriteOptions {
  /** Names of the sinks that every stored result is delivered to. */
  readonly sinks: readonly string[];
  /** Those that reports of studies are delivered to; absent: none. */
  readonly reportSinks?: readonly string[];
}

type Receipt = GroupReceipt<WriteReceipt>;

/**
 * Step 6 of the path, for many results in one transaction: keeps the outcomes, lets each supersede older ones of its
 * group, and, for those with `resources`, stores the result, Device and Provenance. A repeat records nothing new;
 * where it asks for the resource that the first call did not store, the resource is stored now. The result is the same
 * as if they were written one after the other in the order given. Where one cannot be kept the others are.
 * @returns for each its receipt, or why nothing of it was kept: WHAT_IF_NOT_WRITABLE, WRITE_REJECTED, WRITE_CONFLICT,
 * STORAGE_FULL, DATABASE_UNAVAILABLE
 */
export async function writeResults(
  database: Database,
  openResultStore: OpenResultStore,
  batch: readonly ResultToWrite[],
  options: WriteOptions,
): Promise<Receipt[]> {
  // All that takes time in this process is done before the transaction begins.
  const prepared = await inSlices(batch, (item) => {
    try {
      return prepareResult(openResultStore(database, item.record.tenant), item);
    } catch (error) {
      return { error };
    }
  });
  const writable = prepared.filter((one): one is PreparedResult => !('error' in one));
  const written = (await writeOrSplit(database, openResultStore, writable, options))[Symbol.iterator]();
  return prepared.map((one): Receipt => ('error' in one ? one : taken(written.next().value)));
}

/** So long one server waits for the locks of another one, which holds them for the time of its own transaction. */
const lockTimeoutMs = { ofMany: 1_000, ofOne: 3_000 };

/** Writes together what can be written together: where a transaction fails, each half of it is tried again. */
async function writeOrSplit(
  database: Database,
  openResultStore: OpenResultStore,
  results: readonly PreparedResult[],
  options: WriteOptions,
): Promise<Receipt[]> {
  if (results.length === 0) return [];
  try {
    return await retryingConflicts(() => writeInTransaction(database, openResultStore, results, options));
  } catch (error) {
    if (results.length === 1 && databaseErrorCode(error) === lockNotAvailable) return [{ error: stillLocked(error) }];
    if (results.length === 1 || failsAll(error)) return results.map(() => ({ error }));
    const middle = Math.ceil(results.length / 2);
    const first = await writeOrSplit(database, openResultStore, results.slice(0, middle), options);
    return [...first, ...(await writeOrSplit(database, openResultStore, results.slice(middle), options))];
  }
}

function writeInTransaction(
  database: Database,
  openResultStore: OpenResultStore,
  results: readonly PreparedResult[],
  options: WriteOptions,
): Promise<Receipt[]> {
  return database.transaction(async (sql) => {
    const groups = results.flatMap(({ record }) => (record.whatIf ? [] : [record]));
    // The embedded database is one session, which its own locks do not hold up: its transactions follow one another.
    if (groups.length > 0 && database.kind === 'postgresql') {
      // Nobody else waits here for a patient whom a server that stands still holds.
      const timeoutMs = results.length === 1 ? lockTimeoutMs.ofOne : lockTimeoutMs.ofMany;
      await lockGroups(sql, groups, timeoutMs);
    }
    const receipts = new Map<PreparedResult, Receipt>();
    for (const [tenant, own] of Map.groupBy(results, ({ record }) => record.tenant)) {
      const written = await writeTogether(sql, openResultStore(sql, tenant), tenant, own, options);
      own.forEach((result, index) => {
        receipts.set(result, taken(written[index]));
      });
    }
    return results.map((result) => taken(receipts.get(result)));
  });
}

const lockNotAvailable = '55P03';

function stillLocked(cause: unknown): PredictionError {
  return new PredictionError(
    'DATABASE_UNAVAILABLE',
    `Another server has been writing results of this patient for ${lockTimeoutMs.ofOne / 1000} seconds; nothing of this result was kept. Send it again.`,
    { cause },
  );
}

/** A failure that no smaller transaction would escape. */
function failsAll(error: unknown): boolean {
  return (
    error instanceof PredictionError && ['STORAGE_FULL', 'DATABASE_UNAVAILABLE', 'SHUTTING_DOWN'].includes(error.code)
  );
}

function taken(receipt: Receipt | undefined): Receipt {
  if (receipt === undefined) throw new PredictionError('INTERNAL', 'A result was written and has no receipt.');
  return receipt;
}
