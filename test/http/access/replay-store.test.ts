import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createReplayStore } from '../../../src/http/access/replay-store.ts';
import type { Sql } from '../../../src/platform/database.ts';
import type { LogEvent } from '../../../src/platform/events.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { createVirtualTime } from '../../support/virtual-time.ts';

let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

const issuer = 'https://ehr.example.org';

function store(tenant: string, time = createVirtualTime()) {
  const events: LogEvent[] = [];
  const { database } = opened;
  const options = { database, background: database, tenant, clock: time.clock };
  const replays = createReplayStore({ ...options, event: (event) => events.push(event) });
  const inSeconds = (seconds: number) => new Date(time.clock.now().getTime() + seconds * 1_000);
  const rows = async () =>
    (await database.query<{ n: number }>('select count(*)::int as n from cds_replay where tenant = $1', [tenant]))
      .rows[0]?.n;
  return { replays, events, time, inSeconds, rows };
}

describe('CDS-66: the replay store', () => {
  test('takes each token once, however many try at once, here and at another server', async () => {
    const [one, other] = [store('once'), store('once')];
    const uses = Array.from({ length: 400 }, (_, index) =>
      (index % 2 === 0 ? one : other).replays.use({ issuer, jti: `t-${index % 40}`, expiresAt: one.inSeconds(300) }),
    );
    expect((await Promise.all(uses)).filter((isNew) => isNew)).toHaveLength(40);
    await Promise.all([one.replays.close(), other.replays.close()]);
  });

  test('tells issuer, tenant and jti apart, whatever characters they have', async () => {
    const { replays, inSeconds } = store('apart');
    const expiresAt = inSeconds(300);
    const tokens = [
      { issuer: 'a', jti: 'b' },
      { issuer: 'a","', jti: 'b' },
      { issuer: 'a', jti: '","b' },
      { issuer: 'a', tenant: 'null', jti: 'b' },
      { issuer: 'a', tenant: 'b', jti: '' },
      { issuer: 'a', jti: 'B' },
      { issuer: 'a', jti: "b'); drop table cds_replay; --" },
      { issuer: 'a', jti: 'b\u0000' },
      { issuer: 'a', jti: '\ud800' },
    ];
    for (const token of tokens) expect(await replays.use({ ...token, expiresAt }), JSON.stringify(token)).toBe(true);
    for (const token of tokens) expect(await replays.use({ ...token, expiresAt }), JSON.stringify(token)).toBe(false);
    await replays.close();
  });

  test('remembers a token until nobody takes it any more, by the clock of any server, and then forgets it', async () => {
    const { replays, time, inSeconds, rows, events } = store('pruned');
    await replays.use({ issuer, jti: 'first', expiresAt: inSeconds(300) });
    const use = async (jti: string) => replays.use({ issuer, jti, expiresAt: inSeconds(3_000) });
    await time.advance(300_000 + 60_000);
    await use('second');
    expect(await replays.use({ issuer, jti: 'first', expiresAt: inSeconds(300) })).toBe(false);
    await time.advance(61_000);
    await use('third');
    await replays.close();
    expect(await rows()).toBe(2);
    expect(events).toEqual([]);
  });

  test('keeps tokens in one order at every server, and tries once more where another one was in the way all the same', async () => {
    const { database } = opened;
    const asked: unknown[] = [];
    const failures = ['40P01'];
    const sql: Sql = {
      query: async (text, values) => {
        asked.push(values?.[1]);
        const code = failures.pop();
        if (code !== undefined) throw Object.assign(new Error('deadlock detected'), { code });
        return await database.query(text, values);
      },
    };
    const { clock } = createVirtualTime();
    const replays = createReplayStore({
      database: sql,
      background: database,
      tenant: 'ordered',
      clock,
      event: () => undefined,
    });
    const expiresAt = new Date(clock.now().getTime() + 300_000);
    const jtis = [...'gfedcba', 'a'];
    const isNew = await Promise.all(jtis.map((jti) => replays.use({ issuer, jti, expiresAt })));
    expect(isNew.filter(Boolean)).toHaveLength(7);
    expect(isNew.at(-1)).toBe(false);
    const groups = asked.filter((tokens): tokens is string[] => Array.isArray(tokens));
    expect(groups[0]).toEqual(groups[1]);
    for (const tokens of groups) expect(tokens).toEqual(tokens.toSorted());
    expect(Math.max(...groups.map(({ length }) => length))).toBeGreaterThan(2);
    await replays.close();
  });

  test('lets nobody in where the database does not answer', async () => {
    const down = { query: () => Promise.reject(new Error('connection refused')) };
    const events: LogEvent[] = [];
    const options = { database: down, background: down, tenant: 'down', clock: createVirtualTime().clock };
    const replays = createReplayStore({ ...options, event: (event) => events.push(event) });
    await expect(replays.use({ issuer, jti: 'a', expiresAt: new Date() })).rejects.toThrow('connection refused');
    await replays.close();
  });
});
