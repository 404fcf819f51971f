import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { privateMetricsOf, privatePlacesIn, privateWords } from '../support/private-places.ts';
import { watchPrivateWords } from '../support/private-words.ts';
import { privateDetails, scorablePatient } from '../support/scorable-patient.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

/** What every server of the suite is searched for when it closes (`start-fhirsight.ts`): the search must find what is there. */
let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

describe('what stands in the clear of the patients that the tests share', () => {
  it('is their names, record number, birth date and a value', () => {
    const record = JSON.stringify(scorablePatient('one'));
    expect(privateWords).toHaveLength(5);
    for (const word of privateWords) expect(record).toContain(word);
  });

  it.each(privateWords)('is found in a table: %s', async (word) => {
    const { database } = opened;
    expect(await privatePlacesIn(database)).toEqual([]);
    await database.query("insert into settings_kv (tenant, key, value) values ('t', 'k', $1)", [
      JSON.stringify({ of: [word] }),
    ]);
    expect(await privatePlacesIn(database)).toEqual([expect.stringContaining(`public.settings_kv: `)]);
    await database.query("delete from settings_kv where tenant = 't'");
  });

  it.each(privateWords)('is found in bytes, which a row shows as digits: %s', async (word) => {
    const { database } = opened;
    await database.query('create table of_bytes (kept bytea)');
    await database.query('insert into of_bytes values ($1)', [Buffer.from(`{"of":"${word}"}`)]);
    expect(await privatePlacesIn(database)).toEqual([expect.stringMatching(/^public\.of_bytes: /)]);
    await database.query('drop table of_bytes');
  });

  it('is not known where the database is gone, which is told and not taken for nothing', async () => {
    const gone = await openTestDatabase();
    await gone.close();
    await expect(privatePlacesIn(gone.database)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });

  it('is found in a table of another schema, and may stand in the FHIR store', async () => {
    const { database } = opened;
    await database.query(
      `insert into resource_versions (tenant, type, id, version, deleted, last_updated, body)
       values ('t', 'Patient', 'one', 1, false, now(), $1)`,
      [JSON.stringify(scorablePatient('one')[0])],
    );
    expect(await privatePlacesIn(database)).toEqual([]);
    await database.query('create schema queue');
    await database.query(`create table queue."Job of it" as select '${privateDetails.family}' as data`);
    expect(await privatePlacesIn(database)).toEqual([expect.stringContaining('Job of it')]);
    await database.query('drop schema queue cascade');
  });

  it('is found in a metric', async () => {
    const server = createServer((_request, response) => response.end(`ok 1\nasked{by="${privateDetails.given}"} 1\n`));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await privateMetricsOf(`http://127.0.0.1:${port}`)).toEqual([`asked{by="${privateDetails.given}"} 1`]);
    await new Promise((resolve) => server.close(resolve));
  });

  it.each(privateWords)('is found in an event of the log, also inside an error: %s', (word) => {
    const watched = watchPrivateWords(silentLogger);
    watched.logger.with({ requestId: 'r' }).event({ name: 'error.unexpected', error: new Error(`no ${word} here`) });
    watched.logger.event({ name: 'run.created', run: word, model: 'm@1' });
    watched.logger.event({ name: 'run.created', run: 'another', model: 'm@1' });
    expect(watched.told.length).toBeGreaterThan(0);
    expect(watched.told.every((line) => line.includes(word))).toBe(true);
  });
});
