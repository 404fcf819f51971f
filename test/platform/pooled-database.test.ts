import { AsyncResource } from 'node:async_hooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { databaseErrorCode } from '../../src/platform/database-error.ts';
import { openBareDatabase, type TestDatabase } from '../support/test-database.ts';

/** What every Database does, whichever engine is behind it. */
describe('a database', () => {
  let opened: TestDatabase;
  beforeAll(async () => {
    opened = await openBareDatabase();
    await opened.database.query('create table notes (id integer primary key, body json, tags text[], at timestamptz)');
  });
  beforeEach(() => opened.database.query('delete from notes'));
  afterAll(() => opened.close());

  /** Runs outside the transaction that is open here, as another request would. */
  const later = AsyncResource.bind(<T>(work: () => Promise<T>): Promise<T> => work());

  const ids = async () =>
    (await opened.database.query<{ id: number }>('select id from notes order by id')).rows.map(({ id }) => id);

  test('returns json as the text that was stored, lists as lists and instants as dates', async () => {
    const body = '{"b":1,  "a":1.10, "b":2}';
    const at = new Date('2026-03-01T12:34:56.789Z');
    await opened.database.query('insert into notes values ($1, $2, $3, $4)', [1, body, ['x', 'a,"b"', ''], at]);
    const { rows } = await opened.database.query('select * from notes');
    expect(rows).toEqual([{ id: 1, body, tags: ['x', 'a,"b"', ''], at }]);
  });

  test('runs several statements without parameters in one text and answers with the last', async () => {
    const answer = await opened.database.query(
      'insert into notes (id) values (1), (2); select count(*)::int as n from notes',
    );
    expect(answer).toMatchObject({ rows: [{ n: 2 }], rowCount: 1 });
  });

  test('keeps a value of several megabytes', async () => {
    const body = JSON.stringify({ text: 'ä'.repeat(3_000_000) });
    await opened.database.query('insert into notes (id, body) values (1, $1)', [body]);
    const { rows } = await opened.database.query<{ body: string }>('select body from notes');
    expect(rows[0]?.body === body).toBe(true);
  });

  test('answers after failed statements of every kind as before', async () => {
    await opened.database.query('insert into notes (id) values (1)');
    const duplicate = await opened.database.query('insert into notes (id) values ($1)', [1]).catch((error) => error);
    expect(databaseErrorCode(duplicate)).toBe('23505');
    const unknown = await opened.database.query('select * from nothing where a = $1', [1]).catch((error) => error);
    expect(databaseErrorCode(unknown)).toBe('42P01');
    const malformed = await opened.database.query('insert into notes (id) values ($1)', ['x']).catch((error) => error);
    expect(databaseErrorCode(malformed)).toBe('22P02');
    expect(await ids()).toEqual([1]);
  });

  test('keeps what a transaction wrote when its work resolves, and returns its result', async () => {
    const result = await opened.database.transaction(async (sql) => {
      await sql.query('insert into notes (id) values (1)');
      await sql.query('insert into notes (id) values (2)');
      return (await sql.query<{ n: number }>('select count(*)::int as n from notes')).rows[0]?.n;
    });
    expect(result).toBe(2);
    expect(await ids()).toEqual([1, 2]);
  });

  test('keeps nothing of a transaction whose work throws, and passes the error on', async () => {
    const work = opened.database.transaction(async (sql) => {
      await sql.query('insert into notes (id) values (1)');
      throw new Error('the work failed');
    });
    await expect(work).rejects.toThrow('the work failed');
    expect(await ids()).toEqual([]);
  });

  test('refuses to commit a transaction that swallowed the failure of a statement', async () => {
    const work = opened.database.transaction(async (sql) => {
      await sql.query('insert into notes (id) values (1)');
      await sql.query('insert into notes (id) values (1)').catch(() => undefined);
    });
    await expect(work).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await ids()).toEqual([]);
  });

  test('keeps concurrent transactions and single statements apart', async () => {
    const { database } = opened;
    const pair = (id: number, fails: boolean) =>
      database.transaction(async (sql) => {
        await sql.query('insert into notes (id) values ($1)', [id]);
        await new Promise((resolve) => setImmediate(resolve));
        await sql.query('insert into notes (id) values ($1)', [id + 1]);
        if (fails) throw new Error(`pair ${id} fails`);
      });
    const single = (id: number) => database.query('insert into notes (id) values ($1)', [id]);
    const work: Promise<unknown>[] = [];
    for (let n = 0; n < 20; n++) work.push(pair(n * 10, n % 2 === 1), single(n * 10 + 5));
    const settled = await Promise.allSettled(work);
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(10);
    const expected = Array.from({ length: 20 }, (_, n) =>
      n % 2 === 1 ? [n * 10 + 5] : [n * 10, n * 10 + 1, n * 10 + 5],
    );
    expect(await ids()).toEqual(expected.flat());
  });

  test('runs statements that a transaction sends without waiting in the order in which they were sent', async () => {
    await opened.database.transaction(async (sql) => {
      const sent = [1, 2, 3].map((id) => sql.query('insert into notes (id, at) values ($1, clock_timestamp())', [id]));
      await Promise.all(sent);
    });
    const { rows } = await opened.database.query<{ id: number }>('select id from notes order by at');
    expect(rows.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  test('refuses a statement of the database inside one of its transactions, which would wait for ever', async () => {
    const { database } = opened;
    await expect(database.transaction(() => database.query('select 1'))).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(database.transaction(() => database.transaction(async () => 1))).rejects.toMatchObject({
      code: 'INTERNAL',
    });
  });

  test('a snapshot sees nothing of what others commit after its first statement', async () => {
    const { database } = opened;
    let write: Promise<unknown> = Promise.resolve();
    const counts = await database.snapshot(async (sql) => {
      const count = async () => (await sql.query<{ n: number }>('select count(*)::int as n from notes')).rows[0]?.n;
      const before = await count();
      await new Promise<void>((resolve) => {
        // Committed at once where there are several connections; where there is one, it waits for the snapshot's end.
        write = later(() => database.query('insert into notes (id) values (1)'));
        if (database.kind === 'postgresql') void write.then(() => resolve());
        else resolve();
      });
      return [before, await count()];
    });
    await write;
    expect(counts).toEqual([0, 0]);
    expect(await ids()).toEqual([1]);
  });

  test('a snapshot cannot write', async () => {
    const work = opened.database.snapshot((sql) => sql.query('insert into notes (id) values (1)'));
    expect(databaseErrorCode(await work.catch((error) => error))).toBe('25006');
    expect(await ids()).toEqual([]);
    await opened.database.query('insert into notes (id) values (2)');
    expect(await ids()).toEqual([2]);
  });

  test('in the background is the same database, and whoever else asks meanwhile goes first', async () => {
    const { database } = opened;
    expect(database.background.background).toBe(database.background);
    const order: string[] = [];
    const asked = (name: string, on: typeof database) => on.query('select 1').then(() => order.push(name));
    // Holds every connection, one on PGlite and ten on a server, until all others have asked.
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const holders = Array.from({ length: 10 }, () => database.transaction(() => held));
    const others = [
      asked('run', database.background),
      database.background.transaction((sql) => sql.query('insert into notes (id) values (1)')),
      asked('bedside', database),
    ];
    letGo();
    await Promise.all([...holders, ...others]);
    if (database.kind === 'pglite') expect(order).toEqual(['bedside', 'run']);
    else expect(order.toSorted()).toEqual(['bedside', 'run']);
    expect(await ids()).toEqual([1]);
  });

  test('refuses a statement sent to a transaction that has ended', async () => {
    const late = await opened.database.transaction(async (sql) => () => sql.query('insert into notes (id) values (9)'));
    await expect(late()).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await ids()).toEqual([]);
  });
});

test('closing finishes what was asked before, refuses what is asked later, and may be repeated', async () => {
  const { database, close } = await openBareDatabase();
  const before = Array.from({ length: 30 }, (_, n) => database.query<{ n: number }>('select $1::int as n', [n]));
  const closed = database.close();
  await expect(database.query('select 1')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  await closed;
  expect((await Promise.all(before)).map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 30 }, (_, n) => n));
  await close();
  await database.close();
});
