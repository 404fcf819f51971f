import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { createDatabaseOnServer } from '../../test/support/test-database.ts';

/** A table `results (id text, body json)` that is filled by COPY alone. */
export interface CopyTarget {
  /** @param csv rows in the CSV format of COPY */
  copy(csv: string): Promise<void>;
  close(): Promise<void>;
}

const createTable = 'create table results (id text, body json)';

/** On the PostgreSQL server of TEST_DATABASE_URL, or else embedded, in the same thread. */
export async function openCopyTarget(): Promise<CopyTarget> {
  const url = process.env.TEST_DATABASE_URL;
  return url === undefined ? await embedded() : await onServer(url);
}

async function embedded(): Promise<CopyTarget> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-bench-'));
  const database = new PGlite(folder);
  await database.exec(createTable);
  return {
    copy: async (csv) => {
      await database.query("copy results from '/dev/blob' with (format csv)", [], { blob: new Blob([csv]) });
    },
    close: async () => {
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function onServer(url: string): Promise<CopyTarget> {
  const database = await createDatabaseOnServer(url);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(createTable);
  return {
    copy: (csv) =>
      new Promise((resolve, reject) => {
        client.query(copyQuery('copy results from stdin with (format csv)', csv, { resolve, reject }));
      }),
    close: async () => {
      await client.end();
      await database.drop();
    },
  };
}

interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** COPY FROM STDIN as a query of the driver, whose protocol knows it although its interface does not. */
function copyQuery(
  text: string,
  csv: string,
  { resolve, reject }: { resolve(): void; reject(error: unknown): void },
): pg.Submittable {
  const nothing = (): void => undefined;
  const query = {
    submit: (connection: unknown) => (connection as CopyConnection).query(text),
    handleCopyInResponse: (connection: CopyConnection) => {
      connection.sendCopyFromChunk(Buffer.from(csv));
      connection.endCopyFrom();
    },
    handleCommandComplete: nothing,
    handleReadyForQuery: () => resolve(),
    handleError: (error: unknown) => reject(error),
  };
  return query;
}
