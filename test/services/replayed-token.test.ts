import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { allMigrations } from '../../src/platform/migrations/all-migrations.ts';
import { openDatabase } from '../../src/platform/open-database.ts';
import { startCdsAccessServer } from '../support/cds-access-server.ts';
import { createCdsClient } from '../support/cds-client.ts';
import { send } from '../support/fhir-test-server.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { createDatabaseOnServer } from '../support/test-database.ts';

const publicUrl = 'https://risk.example.org';

test('CDS-66: of two servers with connections of their own to one PostgreSQL only one lets a token in', async () => {
  const place = process.env.TEST_DATABASE_URL;
  if (place === undefined) throw new Error('TEST_DATABASE_URL names no PostgreSQL server');
  const shared = await createDatabaseOnServer(place);
  const open = () => openDatabase({ databaseUrl: shared.url, dataDir: tmpdir(), logger: silentLogger });
  const databases = [await open(), await open()] as const;
  await migrate(databases[0], allMigrations, systemClock);
  const client = await createCdsClient();
  const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-keys-'));
  const keysFile = path.join(folder, 'keys.json');
  await writeFile(keysFile, JSON.stringify(client.keySet()));
  const servers = await Promise.all(
    databases.map((database) =>
      startCdsAccessServer({
        clients: [
          {
            name: 'ehr',
            issuer: client.issuer,
            algorithms: ['ES384'],
            fhirServers: [],
            writesBack: false,
            systemActions: false,
            keysFile,
          },
        ],
        database,
        clock: systemClock,
        fetch: () => Promise.reject(new Error('nobody is asked')),
        publicUrl,
        logger: silentLogger,
      }),
    ),
  );
  try {
    const tokens = await Promise.all(Array.from({ length: 100 }, () => client.token(`${publicUrl}/cds-services`)));
    const answers = await Promise.all(
      tokens.flatMap((token) =>
        servers.map(async ({ origin }) => {
          const { status } = await send(`${origin}/cds-services`, 'GET', undefined, {
            Authorization: `Bearer ${token}`,
          });
          return { token, status };
        }),
      ),
    );
    for (const token of tokens)
      expect(answers.flatMap((one) => (one.token === token ? [one.status] : [])).sort()).toEqual([200, 401]);
    expect(servers.every(({ letIn }) => letIn.length > 0)).toBe(true);
  } finally {
    for (const server of servers) await server.close();
    for (const database of databases) await database.close();
    await shared.drop();
    await rm(folder, { recursive: true, force: true });
  }
});
