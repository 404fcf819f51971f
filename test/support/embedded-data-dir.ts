import { randomUUID } from 'node:crypto';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { publishDefinitions } from '../../src/fhir/store/publish-definitions.ts';
import { createSqlRepository } from '../../src/fhir/store/sql-repository.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { checksumOf, migrate } from '../../src/platform/migrate.ts';
import { allMigrations } from '../../src/platform/migrations/all-migrations.ts';
import { openDatabase } from '../../src/platform/open-database.ts';
import { profilesFolder } from './checked/r4-definitions.ts';
import { keptFolder } from './kept-folder.ts';
import { silentLogger } from './silent-logger.ts';

/** Fills a folder with an embedded database that is migrated, holds the FHIR definitions, and is otherwise empty. */
export async function fillDataDir(dataDir: string): Promise<void> {
  template ??= migratedTemplate();
  // A thousand small files: one by one through the event loop they cost three times as much.
  cpSync(await template, dataDir, { recursive: true });
}

let template: Promise<string> | undefined;

/** Creating an embedded database takes seconds, copying one a fraction; the same goes for the definitions in it. */
async function migratedTemplate(): Promise<string> {
  const definitions = readdirSync(profilesFolder).map((name) => readFileSync(path.join(profilesFolder, name), 'utf8'));
  const made = [...allMigrations.map(checksumOf), ...definitions];
  const key = checksumOf({ id: 'all', sql: made.join() }).slice(0, 16);
  return await keptFolder('template', key, async (folder) => {
    const database = await openDatabase({ dataDir: folder, logger: silentLogger });
    await migrate(database, allMigrations, systemClock);
    await publish(database);
    await database.query('checkpoint');
    await database.close();
  });
}

/** What every server stores at its start. The base and the zone do not show in it. */
async function publish(database: Awaited<ReturnType<typeof openDatabase>>): Promise<void> {
  const repository = createSqlRepository({
    database,
    tenant: 'default',
    baseUrl: 'http://127.0.0.1/fhir/R4',
    clock: systemClock,
    newId: randomUUID,
    timeZone: 'UTC',
    validator: createResourceValidator(),
  });
  await publishDefinitions(repository, profilesFolder);
}
