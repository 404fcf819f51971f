import type { Database } from '../../src/platform/database.ts';
import type { OutcomeRecord, ResultResources, WriteReceipt } from '../../src/write-back/outcome-record.ts';
import type { OpenResultStore } from '../../src/write-back/result-store.ts';
import { writeResults } from '../../src/write-back/write-results.ts';

/** Writes one result alone. Throws why nothing was kept. */
export async function writeResult(
  database: Database,
  openResultStore: OpenResultStore,
  record: OutcomeRecord,
  resources?: ResultResources,
): Promise<WriteReceipt> {
  const [settled] = await writeResults(database, openResultStore, [{ record, resources }], { sinks: [] });
  if (settled === undefined) throw new Error('no receipt');
  if ('error' in settled) throw settled.error;
  return settled.receipt;
}
