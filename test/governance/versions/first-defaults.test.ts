import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { readConfig } from '../../../src/platform/config.ts';
import { type FirstDefaults, openVersions, type Versions } from '../../../src/wire-versions.ts';
import { captureLog } from '../../support/captured-log.ts';
import { loadedVersions } from '../../support/loaded-versions.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const model = 'prevent-base';
const log = captureLog('info');
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
  const house = { config: readConfig({}), clock: systemClock, logger: log.logger, subjectBase: 'http://localhost' };
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

test('a start after a release says in one line which defaults and shadows are stopped until they are promoted again', async () => {
  const { desk } = await open('recorded', { '1.2.0': 'cc', '1.1.0': 'bb', '1.0.0': 'aa' });
  const asked = { requester: 'ada@ward-3', way: 'command-line', because: 'To compare.' } as const;
  await desk.shadow(model, '1.1.0', true, asked);
  await desk.shadow(model, '1.0.0', true, asked);
  expect(log.lines().filter(({ event }) => event === 'models.changed-since-promoted')).toEqual([]);
  await open('recorded', { '1.2.0': 'xx', '1.1.0': 'yy', '1.0.0': 'aa' });
  expect(log.lines().filter(({ event }) => event === 'models.changed-since-promoted')).toMatchObject([
    { level: 'error', defaults: ['prevent-base@1.2.0'], shadows: ['prevent-base@1.1.0'] },
  ]);
});
