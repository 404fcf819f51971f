import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/platform/database.ts';
import { openDatabase } from '../../src/platform/open-database.ts';
import { silentLogger } from '../support/silent-logger.ts';

/** Mounts a small file system, so it needs root. */
let mount: string;
let dataDir: string;
beforeEach(() => {
  mount = mkdtempSync(path.join(tmpdir(), 'fhirsight-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', mount]);
  dataDir = path.join(mount, 'data');
});
afterEach(() => {
  execFileSync('umount', [mount]);
  rmSync(mount, { recursive: true });
});

/** Leaves `freeMb` on the small file system. */
async function fillDisk(freeMb: number): Promise<void> {
  const space = await statfs(mount);
  await writeFile(path.join(mount, 'filler'), Buffer.alloc(space.bavail * space.bsize - freeMb * 1024 * 1024));
}

async function writeUntilRefused(
  database: Database,
  statement: (n: number) => string,
): Promise<{ kept: number; error: unknown }> {
  for (let n = 1; ; n++) {
    try {
      await database.query(statement(n));
    } catch (error) {
      return { kept: n - 1, error };
    }
  }
}

test('a disk too full for more rows is STORAGE_FULL, keeps what was acknowledged, and is over once there is space', async () => {
  const database = await openDatabase({ dataDir, logger: silentLogger });
  await database.query('create table filling (n integer primary key, text text)');
  await fillDisk(4);
  const rows = (n: number) =>
    `insert into filling select ${n} * 1000 + i, repeat(md5(i::text), 20) from generate_series(1, 100) i`;
  const { kept, error } = await writeUntilRefused(database, rows);
  expect(error).toMatchObject({ code: 'STORAGE_FULL' });
  expect((await database.query('select count(*)::int as n from filling')).rows).toEqual([{ n: kept * 100 }]);
  rmSync(path.join(mount, 'filler'));
  await database.query(rows(kept + 1));
  expect((await database.query('select count(*)::int as n from filling')).rows).toEqual([{ n: kept * 100 + 100 }]);
  await database.close();
});

test('a disk too full for the write-ahead log ends the engine, and it comes back by itself once there is space', async () => {
  const database = await openDatabase({ dataDir, logger: silentLogger });
  await database.query('create table turning (n integer, text text)');
  await database.query('insert into turning select 0, md5(i::text) from generate_series(1, 50) i');
  await fillDisk(12);
  const rewrite = (n: number) => `update turning set n = ${n}, text = repeat(md5(random()::text), 40)`;
  const { kept, error } = await writeUntilRefused(database, rewrite);
  expect(error).toMatchObject({ code: 'STORAGE_FULL' });
  await expect(database.query('select 1')).rejects.toMatchObject({
    code: expect.stringMatching(/STORAGE_FULL|DATABASE_UNAVAILABLE/),
  });
  rmSync(path.join(mount, 'filler'));
  await expect
    .poll(
      () =>
        database.query('select distinct n from turning').then(
          ({ rows }) => rows,
          () => 'not yet',
        ),
      { timeout: 20_000 },
    )
    .toEqual([{ n: kept }]);
  await database.close();
});
