import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRunQueue, type RunQueue } from '../../src/runs/run-queue.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

let test: TestDatabase;
const queues: RunQueue[] = [];
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(async () => {
  for (const queue of queues) await queue.close();
  await test.close();
});

/** A queue of its own, or the same one as another server has it. */
async function open(fhirBase: string = randomUUID()): Promise<RunQueue> {
  const queue = await openRunQueue(test.database, { tenant: 'test', fhirBase }, () => undefined);
  queues.push(queue);
  return queue;
}

const enqueue = (queue: RunQueue, run: string, ...chunks: number[]): Promise<void> =>
  test.database.transaction((sql) =>
    queue.enqueue(
      sql,
      chunks.map((from) => ({ run, chunk: { from, to: from + 9 } })),
    ),
  );

describe('the queue of runs', () => {
  it('gives each job to one taker, and forgets what is complete', async () => {
    const base = randomUUID();
    const [one, other] = [await open(base), await open(base)];
    await enqueue(one, 'r', 1, 11);
    const taken = [await one.take(), await other.take(), await one.take()];
    expect(taken.map((job) => job?.chunk?.from).sort()).toEqual([1, 11, undefined]);
    for (const job of taken) if (job !== undefined) await one.complete(job);
    await one.tidy();
    expect(await other.take()).toBeUndefined();
  });

  it('holds a job once, queued or taken, however often it is enqueued', async () => {
    const queue = await open();
    await enqueue(queue, 'r', 1);
    await enqueue(queue, 'r', 1);
    const job = await queue.take();
    await enqueue(queue, 'r', 1);
    expect(job?.chunk).toEqual({ from: 1, to: 10 });
    expect(await queue.take()).toBeUndefined();
    if (job !== undefined) await queue.complete(job);
    await enqueue(queue, 'r', 1);
    expect((await queue.take())?.chunk?.from).toBe(1);
  });

  it('is part of the transaction: what is rolled back was never queued', async () => {
    const queue = await open();
    const failing = test.database.transaction(async (sql) => {
      await queue.enqueue(sql, [{ run: 'r' }]);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await queue.take()).toBeUndefined();
  });

  it('frees a job whose taker shows no sign of life, and leaves one alone whose taker does', async () => {
    const queue = await open();
    await enqueue(queue, 'r', 1, 11);
    const [dead, alive] = [await queue.take(), await queue.take()];
    if (dead === undefined || alive === undefined) throw new Error('nothing was queued');
    await test.database.query(
      `update pgboss.job set started_on = started_on - interval '1 hour', heartbeat_on = heartbeat_on - interval '1 hour'
       where id = any($1::uuid[])`,
      [[dead.id, alive.id]],
    );
    await queue.touch(alive);
    expect(await queue.freeAbandoned(1_800_000)).toBe(1);
    expect((await queue.take())?.chunk).toEqual(dead.chunk);
    expect(await queue.freeAbandoned(1_800_000)).toBe(0);
    expect(await queue.freeAbandoned(0)).toBe(2);
  });

  it('gives back at once, and puts off for a while', async () => {
    const queue = await open();
    await enqueue(queue, 'r', 1);
    const job = await queue.take();
    if (job === undefined) throw new Error('nothing was queued');
    await queue.giveBack(job);
    const again = await queue.take();
    expect(again?.id).toBe(job.id);
    if (again !== undefined) await queue.postpone(again, new Error('not now'));
    expect(await queue.take()).toBeUndefined();
  });

  it('does not count a job as tried that a closing server gives back, however often servers are restarted', async () => {
    const queue = await open();
    await enqueue(queue, 'r', 1);
    for (let restart = 0; restart < 5; restart++) {
      const job = await queue.take();
      expect(job?.attempts).toBe(0);
      if (job !== undefined) await queue.giveBack(job);
    }
  });

  it('withdraws what of a run is not taken, and says how many are', async () => {
    const queue = await open();
    await enqueue(queue, 'r', 1, 11, 21);
    await enqueue(queue, 'other', 1);
    await queue.take();
    const left = await test.database.transaction((sql) => queue.withdraw(sql, 'r'));
    expect(left).toBe(1);
    expect((await queue.take())?.run).toBe('other');
    expect(await queue.take()).toBeUndefined();
  });

  it('never shows a job to a server of another FHIR base', async () => {
    const [here, there] = [await open(), await open()];
    await enqueue(here, 'r', 1);
    expect(await there.take()).toBeUndefined();
    expect(await there.freeAbandoned(0)).toBe(0);
    expect((await here.take())?.run).toBe('r');
  });
});
