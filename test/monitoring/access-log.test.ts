import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAuditSearch } from '../../src/entrances/audit/audit-query.ts';
import { createAccessLog } from '../../src/monitoring/access-log.ts';
import type { AccessRow } from '../../src/monitoring/access-row.ts';
import { readAccessLog } from '../../src/monitoring/read-access-log.ts';
import type { Sql } from '../../src/platform/database.ts';
import type { LogEvent } from '../../src/platform/events.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());

function row(changes: Partial<AccessRow> = {}): AccessRow {
  return {
    id: randomUUID(),
    tenant: 'ward',
    recorded: new Date('2026-03-01T10:00:00Z'),
    request_id: 'r-1',
    way: 'http',
    client: 'EHR',
    client_key: 'ehr',
    user_ref: null,
    proved_by: 'access-token',
    action: 'R',
    interaction: 'read',
    route: '/fhir/R4/:type/:id',
    fhir_base: 'http://127.0.0.1/fhir/R4',
    resource_type: 'Patient',
    resource_id: '17',
    subject_id: '17',
    query: null,
    status: 200,
    error_code: null,
    total_ms: 1.5,
    ...changes,
  };
}

async function kept(tenant: string): Promise<readonly AccessRow[]> {
  return (await readAccessLog(opened.database, tenant, { newestFirst: true, count: 1000 })).rows;
}

describe('the access log (EU-1)', () => {
  it('keeps what it took before it closes, as it was given', async () => {
    const log = createAccessLog({ database: opened.database, event: () => undefined });
    const rows = Array.from({ length: 700 }, () => row({ tenant: 'whole' }));
    log.keep(rows);
    await log.close();
    const found = await kept('whole');
    expect(found).toHaveLength(700);
    expect(found.find(({ id }) => id === rows[0]?.id)).toMatchObject({ ...rows[0] });
  });

  it('tries again what could not be kept, loses nothing, and says that rows wait', async () => {
    const events: LogEvent[] = [];
    let failures = 2;
    const flaky: Sql = {
      query: (text, values) => {
        failures -= 1;
        return failures < 0 ? opened.database.query(text, values) : Promise.reject(new Error('gone'));
      },
    };
    const log = createAccessLog({ database: flaky, event: (event) => void events.push(event), retryMs: 1 });
    log.keep([row({ tenant: 'flaky' }), row({ tenant: 'flaky' })]);
    await expect.poll(() => kept('flaky')).toHaveLength(2);
    expect(events).toMatchObject([
      { name: 'access-log.failed', waiting: 2 },
      { name: 'access-log.failed', waiting: 2 },
    ]);
    await log.close();
  });

  it('does nothing more without account once too many rows wait, and goes on when they are kept', async () => {
    let isGone = true;
    const flaky: Sql = {
      query: (text, values) => (isGone ? Promise.reject(new Error('gone')) : opened.database.query(text, values)),
    };
    const log = createAccessLog({ database: flaky, event: () => undefined, mostWaiting: 3, retryMs: 1 });
    log.keep([row({ tenant: 'full' }), row({ tenant: 'full' })]);
    expect(() => log.refuseUnaccounted()).not.toThrow();
    log.keep([row({ tenant: 'full' })]);
    expect(() => log.refuseUnaccounted()).toThrow(expect.objectContaining({ code: 'DATABASE_UNAVAILABLE' }));
    isGone = false;
    await expect.poll(() => kept('full')).toHaveLength(3);
    await expect.poll(() => log.refuseUnaccounted()).toBeUndefined();
    await log.close();
  });

  it('keeps texts that no database holds, with what it cannot hold replaced', async () => {
    const events: LogEvent[] = [];
    const log = createAccessLog({ database: opened.database, event: (event) => void events.push(event) });
    log.keep([row({ tenant: 'texts', route: '/_history\0', client: 'half \ud83d', user_ref: 'back\\slash \\u0000' })]);
    await log.close();
    expect(await kept('texts')).toMatchObject([
      { route: '/_history\uFFFD', client: 'half \uFFFD', user_ref: 'back\\slash \\u0000' },
    ]);
    expect(events).toEqual([]);
  });

  it('gives up the one row that the database refuses, says of which request it is, and keeps all others', async () => {
    const events: LogEvent[] = [];
    const log = createAccessLog({
      database: opened.database,
      event: (event) => void events.push(event),
      mostWaiting: 700,
    });
    const rows = Array.from({ length: 699 }, () => row({ tenant: 'refused' }));
    log.keep(rows.toSpliced(333, 0, row({ tenant: 'refused', request_id: 'r-odd', total_ms: Number.NaN })));
    await expect.poll(() => kept('refused')).toHaveLength(699);
    await expect.poll(() => log.refuseUnaccounted()).toBeUndefined();
    await log.close();
    expect(events).toMatchObject([{ name: 'access-log.refused', requestId: 'r-odd', error: { code: '23502' } }]);
  });

  it('counts what it could not keep in the end', async () => {
    const events: LogEvent[] = [];
    const gone: Sql = { query: () => Promise.reject(new Error('gone')) };
    const log = createAccessLog({ database: gone, event: (event) => void events.push(event) });
    log.keep([row(), row(), row()]);
    await log.close();
    expect(events.at(-1)).toEqual({ name: 'access-log.lost', rows: 3 });
  });

  it('keeps a group once whose answer got lost', async () => {
    let isLost = true;
    const forgetful: Sql = {
      async query(text, values) {
        const answer = await opened.database.query<never>(text, values);
        if (!isLost) return answer;
        isLost = false;
        throw new Error('the answer got lost');
      },
    };
    const log = createAccessLog({ database: forgetful, event: () => undefined, retryMs: 1 });
    log.keep([row({ tenant: 'once' })]);
    await expect.poll(() => isLost).toBe(false);
    await log.close();
    expect(await kept('once')).toHaveLength(1);
  });

  it('finds a person of this server, and not whoever has the same id at another one', async () => {
    const tenant = 'persons';
    const [here, elsewhere] = ['Practitioner/17', 'https://ehr.example/fhir/Practitioner/17'];
    const log = createAccessLog({ database: opened.database, event: () => undefined });
    log.keep([row({ tenant, user_ref: here, status: 200 }), row({ tenant, user_ref: elsewhere, status: 201 })]);
    await log.close();
    const found = async (user: string) => {
      const bases = { own: ['http://127.0.0.1/fhir/R4'], timeZone: 'UTC' };
      const { accesses } = parseAuditSearch([['agent', user]], bases);
      return (await readAccessLog(opened.database, tenant, accesses)).rows.map(({ status }) => status);
    };
    expect(await found(here)).toEqual([200]);
    expect(await found(`http://127.0.0.1/fhir/R4/${here}`)).toEqual([200]);
    expect(await found(elsewhere)).toEqual([201]);
  });

  it('finds by outcome, action, interaction and resource', async () => {
    const tenant = 'found';
    const log = createAccessLog({ database: opened.database, event: () => undefined });
    log.keep([
      row({ tenant, status: 200 }),
      row({ tenant, status: 403, action: 'U', interaction: 'update' }),
      row({ tenant, status: 503, resource_type: 'Observation', resource_id: '5' }),
      row({ tenant, status: 500 }),
    ]);
    await log.close();
    const found = async (query: object) =>
      (await readAccessLog(opened.database, tenant, { newestFirst: true, count: 10, ...query })).rows.map(
        ({ status }) => status,
      );
    expect(await found({ outcomes: ['0'] })).toEqual([200]);
    expect(await found({ outcomes: ['4'] })).toEqual([403]);
    expect(await found({ outcomes: ['8'] })).toEqual([503]);
    expect(await found({ outcomes: ['12'] })).toEqual([500]);
    expect(await found({ actions: ['U'] })).toEqual([403]);
    expect(await found({ interactions: ['update'] })).toEqual([403]);
    const touching = { subjects: [], resources: [{ type: 'Observation', id: '5' }], own: ['http://127.0.0.1/fhir/R4'] };
    expect(await found({ touching })).toEqual([503]);
    expect(await found({ touching: { ...touching, own: ['http://elsewhere/fhir'] } })).toEqual([]);
  });
});

describe('EU-2: what the database lets nobody do to either log', () => {
  const since = { recent: "now() - interval '5 months'", old: "now() - interval '7 months'" };
  const inserted = async (recorded: string): Promise<string> => {
    const id = randomUUID();
    const log = createAccessLog({ database: opened.database, event: () => undefined });
    const { rows } = await opened.database.query<{ at: Date }>(`select ${recorded} as at`);
    log.keep([row({ id, tenant: 'ages', recorded: rows[0]?.at ?? new Date() })]);
    await log.close();
    return id;
  };
  const remove = (id: string, retention: boolean) =>
    opened.database.transaction(async (sql) => {
      if (retention) await sql.query("set local fhirsight.retention = 'on'");
      await sql.query('delete from access_log where id = $1', [id]);
    });

  it.each(["update access_log set status = 200 where tenant = 'ages'", 'truncate access_log'])(
    'refuses %s',
    async (statement) => {
      await inserted(since.old);
      await expect(opened.database.query(statement)).rejects.toThrow('append-only');
    },
  );

  it('refuses the removal of a row that is younger than six months, also by the rule of retention', async () => {
    await expect(remove(await inserted(since.recent), true)).rejects.toThrow('append-only');
  });

  it('refuses the removal of an old row by anything but the rule of retention', async () => {
    const id = await inserted(since.old);
    await expect(remove(id, false)).rejects.toThrow('append-only');
    await remove(id, true);
    expect((await kept('ages')).some((one) => one.id === id)).toBe(false);
  });
});
