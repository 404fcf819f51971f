import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database, Sql } from '../../src/platform/database.ts';
import { endRun, settleCancelled } from '../../src/runs/advance-run.ts';
import { expandRun } from '../../src/runs/expand-run.ts';
import { addMembers, recordMembers } from '../../src/runs/member-table.ts';
import type { Run } from '../../src/runs/run.ts';
import { insertRun, moveRun, readRun } from '../../src/runs/run-table.ts';
import { paceOf, readTally } from '../../src/runs/run-tally.ts';
import { sealCohort } from '../../src/runs/sealed-cohort.ts';
import { testCipher } from '../support/test-cipher.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { listedCohort } from '../support/test-runs.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

const now = (): Date => new Date('2026-11-22T12:00:00Z');
const event = (): void => undefined;
const noQueue = { enqueue: async () => undefined };

async function newRun(): Promise<Run> {
  const id = randomUUID();
  await insertRun(test.database, {
    id,
    tenant: 'test',
    fhirBase: 'http://ehr.example.org/fhir',
    model: { id: 'm', version: '1', digest: 'd' },
    keptCohort: sealCohort({ all: true }, id, testCipher),
    asOf: now(),
    writeBack: false,
    explain: false,
    chunkSize: 10,
    createdAt: now(),
  });
  return await readRun(test.database, 'test', id);
}

describe('reading the cohort of a run', () => {
  it('that a closing server stops leaves the run to be read again, never finished with nobody in it', async () => {
    const run = await newRun();
    const closing = new AbortController();
    const cohorts = {
      check: async () => undefined,
      // As a source may do: it ends instead of throwing.
      async *read() {
        closing.abort();
        yield* [];
      },
    };
    expect(
      await expandRun(test.database, noQueue, cohorts, run, { cipher: testCipher, signal: closing.signal, now, event }),
    ).toBe('expanding');
    const { state, members } = await readRun(test.database, 'test', run.id);
    expect({ state, members }).toEqual({ state: 'expanding', members: undefined });
    const { signal } = new AbortController();
    expect(
      await expandRun(test.database, noQueue, listedCohort(['1', '2']), run, {
        cipher: testCipher,
        signal,
        now,
        event,
      }),
    ).toBe('running');
  });

  it('that ends after another server did it changes nothing: no member, no count of what is done', async () => {
    const run = await newRun();
    const { signal } = new AbortController();
    await expandRun(test.database, noQueue, listedCohort(['1', '2']), run, { cipher: testCipher, signal, now, event });
    const error = { code: 'SUBJECT_UNKNOWN', message: 'nobody' };
    const failed = [1, 2].map((ordinal) => ({ ordinal, state: 'failed' as const, reasons: [], error }));
    await recordMembers(test.database, run.id, failed);
    await moveRun(test.database, run.id, ['running'], 'finished', now());
    await addMembers(test.database, run.id, [{ subject: '3' }]);
    expect(
      await expandRun(test.database, noQueue, listedCohort(['4']), run, { cipher: testCipher, signal, now, event }),
    ).toBe('finished');
    const after = await readRun(test.database, 'test', run.id);
    expect(after.members).toBe(2);
    expect(await readTally(test.database, after)).toMatchObject({ failed: 2, pending: 0 });
    const { rows } = await test.database.query('select 1 from run_members where run = $1', [run.id]);
    expect(rows).toHaveLength(2);
  });
});

describe('two servers that end the same run, one cancelling it and one failing it', () => {
  it('hold the run before its jobs, in the same order, so that neither waits for the other for ever', async () => {
    const order: string[] = [];
    const database: Database = {
      ...test.database,
      transaction: (work) =>
        test.database.transaction((sql) => {
          const watched: Sql = {
            query: (text, values) => {
              order.push(/runs/.test(text) ? 'run' : 'other');
              return sql.query(text, values);
            },
          };
          return work(watched);
        }),
    };
    const parts = { database, tenant: 'test', clock: { now }, event: () => undefined };
    const queue = {
      withdraw: async () => {
        order.push('jobs');
        return 0;
      },
    };
    const [cancelled, failed] = [await newRun(), await newRun()];
    await moveRun(test.database, cancelled.id, ['expanding'], 'cancelling', now());
    await settleCancelled(parts, queue, cancelled.id);
    await endRun(parts, queue, failed, new Error('broken'));
    expect(order).toEqual(['run', 'jobs', 'run', 'run', 'jobs']);
  });
});

describe('the pace of a run', () => {
  it('is that since it was resumed: neither the time it stood still nor what was done before counts', () => {
    const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 22, 12, minute));
    const run = { state: 'running', workedFrom: { at: at(30), done: 1_000 } } as unknown as Run;
    const tally = { pending: 600, scored: 1_120, abstained: 0, failed: 0, written: 0 };
    const all = { ...tally, abstainedByReason: {}, failedByCode: {} };
    expect(paceOf(run, all, at(31))).toEqual({ perSecond: 2, remainingSeconds: 300 });
    expect(paceOf(run, { ...all, scored: 1_000 }, at(31))).toBeUndefined();
  });
});
