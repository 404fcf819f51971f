import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openDatabase, openPglite } from '../../src/platform/open-database.ts';
import { startPgliteServer } from '../../src/platform/pglite-server.ts';
import { captureLog } from '../support/captured-log.ts';
import { fillDataDir } from '../support/embedded-data-dir.ts';
import { silentLogger } from '../support/silent-logger.ts';

/** A busy machine takes its time. */
const patience = { timeout: 30_000 };
const writer = path.join(import.meta.dirname, '../support/acknowledged-writer.ts');

describe('the embedded database', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = path.join(mkdtempSync(path.join(tmpdir(), 'fhirsight-open-')), 'data');
  });
  afterEach(() => rmSync(path.dirname(dataDir), { recursive: true, force: true }));

  test('holds its rows over a restart, in a folder that only this user may enter', async () => {
    const first = await openDatabase({ dataDir, logger: silentLogger });
    await first.query('create table kept (n integer)');
    await first.query('insert into kept values (7)');
    await first.close();
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(dataDir, 'database')).mode & 0o777).toBe(0o700);
    const second = await openDatabase({ dataDir, logger: silentLogger });
    expect((await second.query('select n from kept')).rows).toEqual([{ n: 7 }]);
    await second.close();
  });

  test('leaves the event loop free while a long statement runs', async () => {
    await fillDataDir(dataDir);
    const database = await openDatabase({ dataDir, logger: silentLogger });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const { rows } = await database.query('select count(*)::int as n from generate_series(1, 1000000)');
    clearInterval(timer);
    await database.close();
    expect(rows).toEqual([{ n: 1_000_000 }]);
    expect(turns).toBeGreaterThan(10);
  });

  test('keeps every acknowledged write and no half transaction over five kills at seeded moments', async () => {
    await fillDataDir(dataDir);
    const acknowledged = new Set<number>();
    let seed = 20_260_301;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, [writer, dataDir, String(round * 1_000_000 + 1)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = new Promise((resolve) => child.once('exit', resolve));
      for await (const line of createInterface({ input: child.stdout })) {
        if (line === 'ready') setTimeout(() => child.kill('SIGKILL'), 20 + random() * 400);
        else acknowledged.add(Number(line));
      }
      await exited;
    }
    const database = await openDatabase({ dataDir, logger: silentLogger });
    const { rows } = await database.query<{ n: number; part: number }>('select n, part from acknowledged');
    await database.close();
    const kept = new Map(rows.map(({ n, part }) => [n, part]));
    expect(acknowledged.size).toBeGreaterThan(50);
    expect([...acknowledged].filter((n) => !kept.has(n))).toEqual([]);
    expect([...kept].filter(([n, part]) => part > 0 && !kept.has(-n))).toEqual([]);
  });

  test('comes back with all that was committed after its thread has ended in the middle of a transaction', async () => {
    await fillDataDir(dataDir);
    const { logger, lines } = captureLog();
    const server = await startPgliteServer({ folder: path.join(dataDir, 'database'), logger });
    const database = await openPglite(server, logger);
    await database.query('create table kept (n integer)');
    await database.query('insert into kept values (1)');
    const broken = database.transaction(async (sql) => {
      await sql.query('insert into kept values (2)');
      await server.abandon();
      await sql.query('insert into kept values (3)');
    });
    await expect(broken).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect((await database.query('select n from kept')).rows).toEqual([{ n: 1 }]);
    await database.close();
    expect(lines().map(({ event }) => event)).toContain('database.stopped-unexpectedly');
  });

  test('starts afresh where a process was killed while it created the database', async () => {
    mkdirSync(path.join(dataDir, 'database.initialising/base'), { recursive: true });
    writeFileSync(path.join(dataDir, 'database.initialising/PG_VERSION'), '18\n');
    const database = await openDatabase({ dataDir, logger: silentLogger });
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await database.close();
    expect(existsSync(path.join(dataDir, 'database.initialising'))).toBe(false);
  });

  test('refuses a folder that holds something else, and leaves it as it is', async () => {
    const foreign = path.join(dataDir, 'database/letters.txt');
    mkdirSync(path.dirname(foreign), { recursive: true });
    writeFileSync(foreign, 'x');
    await expect(openDatabase({ dataDir, logger: silentLogger })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining(dataDir),
    });
    expect(existsSync(foreign)).toBe(true);
  });

  test('refreshes its statistics by itself after many writes, also when they were one transaction', async () => {
    await fillDataDir(dataDir);
    const { logger, lines } = captureLog();
    const database = await openDatabase({ dataDir, logger });
    await database.query('create table many (n integer)');
    await database.transaction((sql) => sql.query('insert into many select generate_series(1, 5000)'));
    await vi.waitFor(async () => {
      const { rows } = await database.query<{ n: number }>(
        "select reltuples::int as n from pg_class where relname = 'many'",
      );
      expect(rows[0]?.n).toBe(5_000);
    }, patience);
    await database.close();
    expect(lines().map(({ event }) => event)).toEqual(['database.opened', 'database.closed']);
  });

  test('reads for its statistics only tables that have changed since', async () => {
    await fillDataDir(dataDir);
    const database = await openDatabase({ dataDir, logger: silentLogger });
    await database.query('create table quiet (n integer); create table busy (n integer)');
    const analysed = async (counts: { quiet: number; busy: number }) =>
      vi.waitFor(async () => {
        const { rows } = await database.query<{ name: string; count: number }>(
          `select relname as name, analyze_count::int as count from pg_stat_user_tables where relname in ('quiet', 'busy')`,
        );
        expect(Object.fromEntries(rows.map(({ name, count }) => [name, count]))).toEqual(counts);
      }, patience);
    await database.transaction(async (sql) => {
      await sql.query('insert into quiet select generate_series(1, 500)');
      await sql.query('insert into busy select generate_series(1, 1000)');
    });
    await analysed({ quiet: 1, busy: 1 });
    await database.query('insert into busy select generate_series(1, 3000)');
    await analysed({ quiet: 1, busy: 2 });
    await database.close();
  });
});

describe('a PostgreSQL server by DATABASE_URL', () => {
  test('that nobody serves is DATABASE_UNAVAILABLE, and the password is not shown', async () => {
    const port = await freePort();
    const failure = await openDatabase({
      databaseUrl: `postgres://someone:hunter2@127.0.0.1:${port}/nowhere`,
      dataDir: tmpdir(),
      logger: silentLogger,
    }).catch((error) => error);
    expect(failure).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(failure.message).not.toContain('hunter2');
  });

  test('that answers something else is DATABASE_UNAVAILABLE', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const opening = openDatabase({
      databaseUrl: `postgres://a@127.0.0.1:${port}/b`,
      dataDir: tmpdir(),
      logger: silentLogger,
    });
    await expect(opening).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    server.close();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
