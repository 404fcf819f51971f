import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/platform/database.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import type { LogEvent } from '../../../src/platform/events.ts';
import { createValuesCipher, type ValuesCipher } from '../../../src/platform/values-cipher.ts';
import { type OperationJobs, openOperationJobs } from '../../../src/runs/operation-jobs/open-operation-jobs.ts';
import type { OperationWork } from '../../../src/runs/operation-jobs/operation-worker.ts';
import { testCipher } from '../../support/test-cipher.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let test: TestDatabase;
const opened: OperationJobs[] = [];
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(async () => {
  for (const jobs of opened) await jobs.close();
  await test.close();
});

interface Bench {
  readonly jobs: OperationJobs;
  readonly events: LogEvent[];
  /** Moves the clock. */
  pass(ms: number): void;
}

const echo: OperationWork = {
  answer: async (request) => `answer to ${request}`,
  failure: (request, error) => `failure of ${request}: ${error instanceof PredictionError ? error.code : 'unknown'}`,
};

/** Longer than any test: however slow the machine, no server takes its own job for one that another has lost. */
const neverLost = 600_000;

/** Jobs of a record source of their own, or of the same one as another server's. */
function open(
  work: Partial<OperationWork> = {},
  fhirBase: string = randomUUID(),
  cipher: ValuesCipher = testCipher,
  database: Database = test.database,
  leaseMs = neverLost,
): Bench {
  let now = Date.parse('2026-03-01T10:00:00Z');
  const events: LogEvent[] = [];
  const jobs = openOperationJobs({
    database,
    tenant: 'test',
    fhirBase,
    clock: { now: () => new Date(now) },
    event: (event) => void events.push(event),
    work: { ...echo, ...work },
    cipher,
    lanes: 2,
    mostWaiting: 3,
    pollGapMs: 1_000,
    alone: false,
    pollMs: 20,
    leaseMs,
    overdueMs: 60_000,
    keptMs: 10_000,
  });
  opened.push(jobs);
  const pass = (ms: number): void => {
    now += ms;
  };
  return { jobs, events, pass };
}

const asked = { owner: 'ehr', subject: '17', request: 'seed Secretperson' };
const ehr = { owner: 'ehr' };

/** Waits for the end of a job, however the clock of the test stands. */
async function answered({ jobs, pass }: Bench, id: string): Promise<string> {
  let answer: string | undefined;
  await expect
    .poll(
      async () => {
        pass(1_000);
        const status = await jobs.read(id, ehr);
        if (status.state === 'answered') answer = status.answer;
        return answer;
      },
      { timeout: 20_000 },
    )
    .toBeDefined();
  return answer ?? '';
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => (error instanceof PredictionError ? error.code : 'unknown'),
  );
}

/** The database of the test, where something happens between the note that a job is worked on and its work. */
function meanwhile(happens: () => Promise<void>): Database {
  const { background } = test.database;
  const noting: Database = {
    ...background,
    async query<Row>(text: string, values?: readonly unknown[]) {
      const answer = await background.query<Row>(text, values);
      if (text.startsWith('update operation_jobs set started_at')) await happens();
      return answer;
    },
  };
  return { ...test.database, background: noting };
}

/** Work of which is told whether it was begun, or given up before, and by what. */
function watchedWork(): { readonly work: OperationWork; readonly outcome: Promise<string> } {
  const { promise, resolve } = Promise.withResolvers<string>();
  const work: OperationWork = {
    answer: async () => {
      resolve('begun');
      return 'answer';
    },
    failure: (_request, error) => {
      resolve(`given up: ${error instanceof Error ? error.name : error}`);
      return 'failure';
    },
  };
  return { work, outcome: promise };
}

/** Everything the database holds of jobs, as text; bytes in hex. */
async function kept(): Promise<string> {
  const { rows } = await test.database.query('select * from operation_jobs');
  const { rows: queued } = await test.database.query('select data::text, output::text from pgboss.job');
  return JSON.stringify([rows, queued], (_key, value) =>
    value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
  );
}

describe('an asynchronous operation', () => {
  it('OP-55 is answered under an id that nobody can guess, to its caller and to nobody else', async () => {
    const bench = open();
    const ids = await Promise.all([bench.jobs.create(asked), bench.jobs.create(asked)]);
    for (const id of ids) expect(id).toMatch(/^[\w-]{43}$/);
    expect(new Set(ids).size).toBe(2);
    bench.jobs.start();
    const [id = ''] = ids;
    expect(await answered(bench, id)).toBe('answer to seed Secretperson');
    for (const caller of [{ owner: 'another' }, { owner: '' }, { owner: 'ehr', patient: '18' }]) {
      expect(await codeOf(bench.jobs.read(id, caller))).toBe('RESOURCE_UNKNOWN');
      expect(await codeOf(bench.jobs.cancel(id, caller))).toBe('RESOURCE_UNKNOWN');
    }
    expect(await codeOf(bench.jobs.read(id, { owner: 'ehr', patient: '17' }))).toBe('none');
    for (const other of ['', 'x', `${id}x`, randomUUID(), "' or 1=1 --"])
      expect(await codeOf(bench.jobs.read(other, ehr)), other).toBe('RESOURCE_UNKNOWN');
  });

  it('leaves no row in the queue once its answer has expired', async () => {
    const queued = async (): Promise<string[]> => {
      const { rows } = await test.database.query<{ id: string }>('select id::text from pgboss.job');
      return rows.map(({ id }) => id);
    };
    const base = randomUUID();
    const first = open({}, base);
    const before = await queued();
    const id = await first.jobs.create(asked);
    const own = (await queued()).filter((one) => !before.includes(one));
    expect(own).toHaveLength(1);
    first.jobs.start();
    await answered(first, id);
    await first.jobs.close();
    expect(await queued()).toEqual(expect.arrayContaining(own));
    const next = open({}, base);
    next.pass(3_600_000);
    next.jobs.start();
    await expect.poll(async () => (await queued()).filter((one) => own.includes(one))).toEqual([]);
  });

  it('OP-55 leaves in the database neither its id, nor what was asked, nor the answer in the clear', async () => {
    const bench = open({ answer: async () => 'answer about Secretperson' });
    const id = await bench.jobs.create(asked);
    expect(await kept()).not.toContain('Secretperson');
    bench.jobs.start();
    await answered(bench, id);
    const text = await kept();
    expect(text).not.toContain('Secretperson');
    expect(text).not.toContain(id);
  });

  it('OP-55 that a server with another key takes is left to the one that can read it', async () => {
    const base = randomUUID();
    const other = open({}, base, createValuesCipher(new Map([['k9', Buffer.alloc(32, 9)]])));
    const bench = open({}, base);
    const id = await bench.jobs.create(asked);
    other.jobs.start();
    await expect
      .poll(() => other.events.find(({ name }) => name === 'operation-job.postponed'))
      .toMatchObject({ error: { code: 'CONFIG_INVALID' } });
    await other.jobs.close();
    bench.jobs.start();
    expect(await answered(bench, id)).toBe('answer to seed Secretperson');
  });

  it('OP-51 tells a caller that asks too often how long to wait, and never one that waited', async () => {
    const bench = open();
    const id = await bench.jobs.create(asked);
    expect(await bench.jobs.read(id, ehr)).toMatchObject({ state: 'waiting' });
    bench.pass(999);
    const error = await bench.jobs.read(id, ehr).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 1 });
    bench.pass(1);
    expect(await bench.jobs.read(id, ehr)).toMatchObject({ state: 'waiting' });
  });

  it('takes no more of one caller than may wait, and as many of another', async () => {
    const bench = open();
    for (let count = 0; count < 3; count++) await bench.jobs.create(asked);
    expect(await codeOf(bench.jobs.create(asked))).toBe('RATE_LIMITED');
    expect(await codeOf(bench.jobs.create({ ...asked, owner: 'another' }))).toBe('none');
  });

  it('OP-54 is gone once it is cancelled: what waits is never begun, what is under way is given up', async () => {
    let begun = 0;
    const bench = open({
      answer: (_request, signal) => {
        begun++;
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    const waiting = await bench.jobs.create(asked);
    await bench.jobs.cancel(waiting, ehr);
    const working = await bench.jobs.create(asked);
    bench.jobs.start();
    await expect.poll(() => begun).toBe(1);
    await bench.jobs.cancel(working, ehr);
    for (const id of [waiting, working]) expect(await codeOf(bench.jobs.read(id, ehr))).toBe('RESOURCE_UNKNOWN');
    const third = await bench.jobs.create(asked);
    await expect.poll(() => begun).toBe(2);
    await bench.jobs.cancel(third, ehr);
    expect(bench.events.filter(({ name }) => name === 'operation-job.finished')).toEqual([]);
  });

  it('OP-54 is never begun where it is cancelled between being taken and being begun: nobody reads a record for it', async () => {
    const { work, outcome } = watchedWork();
    let id = '';
    const bench = open(
      work,
      randomUUID(),
      undefined,
      meanwhile(() => bench.jobs.cancel(id, ehr)),
    );
    id = await bench.jobs.create(asked);
    bench.jobs.start();
    expect(await outcome).toBe('given up: AbortError');
    await bench.jobs.close();
    expect(bench.events.filter(({ name }) => name !== 'operation-job.created').map(({ name }) => name)).toEqual([
      'operation-job.cancelled',
    ]);
  });

  it('OP-55 is never begun by a server that closes between taking and beginning it, and goes on at the next', async () => {
    const base = randomUUID();
    const { work, outcome } = watchedWork();
    let closed: Promise<void> | undefined;
    const bench = open(
      work,
      base,
      undefined,
      meanwhile(async () => {
        closed = bench.jobs.close();
      }),
    );
    const id = await bench.jobs.create(asked);
    bench.jobs.start();
    expect(await outcome).toBe('given up: AbortError');
    await closed;
    const next = open({}, base);
    next.jobs.start();
    expect(await answered(next, id)).toBe('answer to seed Secretperson');
  });

  it('OP-54 is given up also by the server that works on it where another one is asked to cancel it', async () => {
    const base = randomUUID();
    let givenUp = false;
    const worker = open(
      {
        answer: (_request, signal) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => {
              givenUp = true;
              reject(signal.reason);
            }),
          ),
      },
      base,
      undefined,
      undefined,
      // It looks for what others cancelled three times in a lease.
      300,
    );
    const other = open({}, base);
    const id = await other.jobs.create(asked);
    worker.jobs.start();
    await expect
      .poll(
        async () =>
          (
            await test.database.query('select 1 from operation_jobs where started_at is not null and fhir_base = $1', [
              base,
            ])
          ).rowCount,
      )
      .toBe(1);
    await other.jobs.cancel(id, ehr);
    await expect.poll(() => givenUp).toBe(true);
  });

  it('OP-52 is answered also where it fails, and tried again where what failed may pass', async () => {
    const failures = ['MODEL_UNKNOWN', 'DATABASE_UNAVAILABLE'] as const;
    const tries = { MODEL_UNKNOWN: 0, DATABASE_UNAVAILABLE: 0 };
    const bench = open({
      answer: async (request) => {
        const code = failures.find((failure) => failure === request) ?? 'MODEL_UNKNOWN';
        tries[code]++;
        if (code === 'DATABASE_UNAVAILABLE' && tries[code] > 1) return 'later';
        throw new PredictionError(code, 'No.');
      },
    });
    const ids = await Promise.all(failures.map((request) => bench.jobs.create({ ...asked, request })));
    bench.jobs.start();
    expect(await answered(bench, ids[0] ?? '')).toBe('failure of MODEL_UNKNOWN: MODEL_UNKNOWN');
    expect(await answered(bench, ids[1] ?? '')).toBe('later');
    expect(tries).toEqual({ MODEL_UNKNOWN: 1, DATABASE_UNAVAILABLE: 2 });
  });

  it('OP-55 goes on at the next server where the one that worked on it closed or vanished', async () => {
    const base = randomUUID();
    const never = open(
      {
        answer: (_request, signal) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
      base,
    );
    const id = await never.jobs.create(asked);
    never.jobs.start();
    await expect.poll(async () => await never.jobs.read(id, ehr).catch(() => undefined)).toBeDefined();
    await never.jobs.close();
    const next = open({}, base);
    next.jobs.start();
    expect(await answered(next, id)).toBe('answer to seed Secretperson');
  });

  it('OP-55 is told to be overdue where nobody works on it, and forgotten at last', async () => {
    const bench = open();
    const id = await bench.jobs.create(asked);
    bench.pass(60_000);
    const status = await bench.jobs.read(id, ehr);
    expect(status).toMatchObject({ state: 'overdue' });
    bench.pass(10_000);
    expect(await codeOf(bench.jobs.read(id, ehr))).toBe('RESOURCE_UNKNOWN');
    bench.jobs.start();
    await expect
      .poll(
        async () =>
          (
            await test.database.query('select 1 from operation_jobs where expires_at <= $1', [
              new Date(Date.parse('2026-03-01T10:01:10Z')),
            ])
          ).rowCount,
      )
      .toBe(0);
  });

  it('is kept for as long as its Expires says after it was answered, and no longer', async () => {
    const bench = open();
    const id = await bench.jobs.create(asked);
    bench.jobs.start();
    await answered(bench, id);
    const status = await bench.jobs.read(id, ehr);
    expect(status.state === 'answered' && status.expiresAt.getTime()).toBeGreaterThan(
      Date.parse('2026-03-01T10:00:10Z'),
    );
    bench.pass(10_000);
    expect(await codeOf(bench.jobs.read(id, ehr))).toBe('RESOURCE_UNKNOWN');
  });
});

describe('a job that is needed once', () => {
  const once = { ...asked, once: 'report of ImagingStudy/s1', restMs: 5_000 };

  it('is made once, whoever asks for it and however many do so at the same time', async () => {
    const { jobs, events } = open();
    const owners = ['ehr', 'ehr', 'clinics', 'ehr', 'clinics'];
    const states = await Promise.all(owners.map((owner) => jobs.createOnce({ ...once, owner })));
    expect(states.toSorted()).toEqual(['created', ...new Array(4).fill('under-way')]);
    expect(events.filter(({ name }) => name === 'operation-job.created')).toHaveLength(1);
    expect(await jobs.createOnce({ ...once, once: 'report of ImagingStudy/s2' })).toBe('created');
    expect(await kept()).not.toContain('ImagingStudy');
    expect(await open().jobs.createOnce(once), 'of another record source').toBe('created');
  });

  it('is not made again while it rests, and is made again after that', async () => {
    const { jobs, events, pass } = open();
    jobs.start();
    await jobs.createOnce(once);
    await expect.poll(() => events.some(({ name }) => name === 'operation-job.finished')).toBe(true);
    pass(4_000);
    expect(await jobs.createOnce(once)).toBe('ended');
    pass(2_000);
    expect(await jobs.createOnce(once)).toBe('created');
  });

  it('is made again where the one that was made waited until nobody works on it any more', async () => {
    const { jobs, pass } = open();
    await jobs.createOnce(once);
    pass(59_000);
    expect(await jobs.createOnce(once)).toBe('under-way');
    pass(2_000);
    expect(await jobs.createOnce(once)).toBe('created');
  });
});
