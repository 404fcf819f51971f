/**
 * Writes rows without end into an embedded database in the folder given as argument, and prints each row's number once
 * the database has acknowledged it: singly, and in transactions of two rows. It is killed by the test that starts it.
 */
import { writeSync } from 'node:fs';
import { openDatabase } from '../../src/platform/open-database.ts';
import { silentLogger } from './silent-logger.ts';

const [dataDir, first] = process.argv.slice(2);
if (dataDir === undefined || first === undefined)
  throw new Error('usage: acknowledged-writer.ts <data dir> <first number>');
const database = await openDatabase({ dataDir, logger: silentLogger });
await database.query('create table if not exists acknowledged (n integer primary key, part integer not null)');
writeSync(1, 'ready\n');
for (let n = Number(first); ; n += 2) {
  await database.query('insert into acknowledged values ($1, 0)', [n]);
  writeSync(1, `${n}\n`);
  await database.transaction(async (sql) => {
    await sql.query('insert into acknowledged values ($1, 1)', [n + 1]);
    await sql.query('insert into acknowledged values ($1, 2)', [-(n + 1)]);
  });
  writeSync(1, `${n + 1}\n`);
}
