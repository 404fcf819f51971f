import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { readConfig } from '../../../src/platform/config.ts';
import { type FirstDefaults, openVersions, type Versions } from '../../../src/wire-versions.ts';
import { loadedVersions } from '../../support/loaded-versions.ts';
import { silentLogger } from '../../support/silent-logger.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const model = 'prevent-base';
let data: TestDatabase;
let closeAll: (() => Promise<void>)[] = [];

beforeEach(async () => {
  data = await openTestDatabase();
  closeAll = [data.close];
});
afterEach(async () => {
  for (const close of closeAll.reverse()) await close();
});

async function open(firstDefaults: FirstDefaults, versions: Readonly<Record<string, string>>): Promise<Versions> {
  const contents = { versions: loadedVersions(versions), refused: [], marks: new Map() };
  const unused = (): never => {
    throw new Error('no model is run or loaded again');
  };
  const house = { config: readConfig({}), clock: systemClock, logger: silentLogger, subjectBase: 'http://localhost' };
  return await openVersions(
    { contents, compiledOf: unused, loadAgain: unused },
    { ...house, database: data.database, firstDefaults },
    (close) => closeAll.push(close),
  );
}

test('a command that only reads decides no default: a version that comes before the first start is the default then', async () => {
  const read = await open('assumed', { '1.0.0': 'aa' });
  expect(read.models.catalog.find(model).key).toBe('prevent-base@1.0.0');
  expect(await read.desk.history(model)).toEqual([]);
  const served = await open('recorded', { '1.1.0': 'bb', '1.0.0': 'aa' });
  expect(served.models.catalog.find(model).key).toBe('prevent-base@1.1.0');
  expect(await served.desk.history(model)).toMatchObject([{ action: 'begin', version: '1.1.0' }]);
});

test('a command that only reads keeps to what was recorded: a version that came later is a candidate', async () => {
  await open('recorded', { '1.0.0': 'aa' });
  const { models } = await open('assumed', { '1.1.0': 'bb', '1.0.0': 'aa' });
  expect(models.catalog.find(model).key).toBe('prevent-base@1.0.0');
});
