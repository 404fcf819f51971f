import type { Database } from '../platform/database.ts';
import { createGroupWriter } from '../platform/group-writer.ts';
import type { OutcomeRecord, ResultResources, WriteReceipt } from './outcome-record.ts';
import type { ResultToWrite } from './prepare-result.ts';
import type { OpenResultStore } from './result-store.ts';
import { writeResults } from './write-results.ts';

export interface ResultWriter {
  /** Resolves when the result is kept, with those written at the same time. Throws why nothing of it was kept. */
  write(record: OutcomeRecord, resources?: ResultResources): Promise<WriteReceipt>;
  /** Takes no more; resolves when all that was taken is kept or refused. Before the database closes. */
  close(): Promise<void>;
}

/** Enough to share the cost of a transaction; more would only make the first of them wait for the last. */
const mostResults = 128;

/** Writes results of concurrent predictions in groups: one transaction at a time, and whoever asks meanwhile joins the next. */
export function createResultWriter(options: {
  readonly database: Database;
  readonly openResultStore: OpenResultStore;
  /** Names of the sinks that every stored result is delivered to. */
  readonly sinks: readonly string[];
  /** See WriteOptions. */
  readonly reportSinks?: readonly string[];
  /** See GroupWriterOptions. */
  readonly gathers?: boolean;
}): ResultWriter {
  const { database, openResultStore, sinks, reportSinks = [], gathers = false } = options;
  const writer = createGroupWriter<ResultToWrite, WriteReceipt>(
    (results) => writeResults(database, openResultStore, results, { sinks, reportSinks }),
    { maxItems: mostResults, gathers },
  );
  return {
    write: (record, resources) => writer.write({ record, resources }),
    close: () => writer.close(),
  };
}
