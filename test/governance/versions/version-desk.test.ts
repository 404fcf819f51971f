import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { takeFirstDefaults } from '../../../src/governance/versions/first-defaults.ts';
import { createVersionDesk, type VersionDesk } from '../../../src/governance/versions/version-desk.ts';
import { openVersionStates, type VersionStates } from '../../../src/governance/versions/version-states.ts';
import { type Catalog, catalogOf } from '../../../src/model-catalog/catalog.ts';
import { cdsServices } from '../../../src/model-catalog/cds-services.ts';
import { createLiveCatalog } from '../../../src/model-catalog/live-catalog.ts';
import type { LoadedVersion } from '../../../src/model-catalog/model-version.ts';
import type { LogEvent } from '../../../src/platform/events.ts';
import { loadedVersions } from '../../support/loaded-versions.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const model = 'prevent-base';
const asked = { requester: 'ada@ward-3', way: 'command-line', because: 'The numbers of May.' } as const;
const now = new Date('2026-05-01T08:00:00Z');

let data: TestDatabase;
/** Each test has one of its own in the one database. */
let tenant = '';
let tenants = 0;
let states: VersionStates;
let catalog: Catalog;
let desk: VersionDesk;
let closeAll: (() => Promise<void>)[] = [];
const events: LogEvent[] = [];

beforeAll(async () => {
  data = await openTestDatabase();
});
afterAll(() => data.close());
beforeEach(async () => {
  tenants += 1;
  tenant = `tenant-${tenants}`;
  closeAll = [];
  ({ states, catalog, desk } = await openHouse(loadedVersions({ '1.1.0': 'bb', '1.0.0': 'aa' })));
});
afterEach(async () => {
  for (const close of closeAll.reverse()) await close();
  events.length = 0;
});

/** What a server has of versions, on the one database of the test. */
async function openHouse(
  versions: readonly LoadedVersion[],
): Promise<{ states: VersionStates; catalog: Catalog; desk: VersionDesk }> {
  const opened = await openVersionStates({
    database: data.database,
    tenant,
    now: () => now,
    event: (event) => events.push(event),
    lookEveryMs: 20,
  });
  closeAll.push(opened.close);
  await takeFirstDefaults(opened, versions);
  const served = createLiveCatalog({ versions, refused: [], marks: new Map() }, opened.standing);
  return { states: opened, catalog: served, desk: createVersionDesk(opened, served) };
}

async function until(isSo: () => boolean): Promise<void> {
  await expect.poll(isSo, { timeout: 1_000, interval: 10 }).toBe(true);
}

describe('the default of a model', () => {
  test('is at the first start the highest version that loads, and a record says so', async () => {
    expect(catalog.find(model).manifest.version).toBe('1.1.0');
    expect(await desk.history(model)).toEqual([
      {
        number: expect.any(Number),
        recorded: now,
        action: 'begin',
        model,
        version: '1.1.0',
        digest: 'bb',
        requester: 'fhirsight',
        way: 'start',
        because: 'First start: the highest version that loads.',
      },
    ]);
  });

  test('stays what it was when a higher version comes, which answers only where it is named', async () => {
    const { catalog: later } = await openHouse(loadedVersions({ '2.0.0': 'cc', '1.1.0': 'bb', '1.0.0': 'aa' }));
    expect(later.find(model).manifest.version).toBe('1.1.0');
    const named = later.find(model, '2.0.0');
    expect(later.stateOf(named)).toBe('candidate');
    expect(cdsServices(later, true).map(({ version }) => version.key)).toEqual(['prevent-base@1.1.0']);
  });

  test('is none for a model that came later, until one of its versions is promoted', async () => {
    const other = loadedVersions({ '1.0.0': 'dd' }).map((version) => ({
      ...version,
      key: 'other@1.0.0',
      manifest: { ...version.manifest, id: 'other' },
    }));
    const { catalog: later, desk: laterDesk } = await openHouse([...other, ...loadedVersions({ '1.1.0': 'bb' })]);
    expect(() => later.find('other')).toThrowError(
      expect.objectContaining({ code: 'MODEL_NOT_READY', message: expect.stringContaining('none was promoted yet') }),
    );
    await laterDesk.promote('other', '1.0.0', asked);
    expect(later.find('other').key).toBe('other@1.0.0');
  });

  test('is promoted and rolled back by one call each, and the records say who, when, from, to and why', async () => {
    await desk.promote(model, '1.0.0', asked);
    expect(catalog.find(model).key).toBe('prevent-base@1.0.0');
    await desk.rollBack(model, { ...asked, way: 'http', because: 'Too many alarms.' });
    expect(catalog.find(model).key).toBe('prevent-base@1.1.0');
    const [, promoted, rolledBack] = await desk.history(model);
    expect(promoted).toMatchObject({
      ...asked,
      recorded: now,
      action: 'promote',
      version: '1.0.0',
      digest: 'aa',
      from: { version: '1.1.0', digest: 'bb' },
    });
    expect(rolledBack).toMatchObject({
      requester: 'ada@ward-3',
      way: 'http',
      because: 'Too many alarms.',
      action: 'roll-back',
      version: '1.1.0',
      from: { version: '1.0.0', digest: 'aa' },
    });
    expect(events.filter(({ name }) => name === 'model.state-changed')).toHaveLength(3);
  });

  test.each([
    ['promoting the default', () => desk.promote(model, '1.1.0', asked), 'VERSION_STATE_CONFLICT'],
    ['rolling back the first default', () => desk.rollBack(model, asked), 'VERSION_STATE_CONFLICT'],
    ['promoting what is not loaded', () => desk.promote(model, '9.0.0', asked), 'MODEL_UNKNOWN'],
    ['shadowing the default', () => desk.shadow(model, '1.1.0', true, asked), 'VERSION_STATE_CONFLICT'],
    ['enabling what is on', () => desk.enable({ model }, asked), 'VERSION_STATE_CONFLICT'],
    ['a switch of no service', () => desk.disable({ model, service: 'none' }, asked), 'PARAMETER_INVALID'],
    ['the history of no model', () => desk.history('nothing'), 'MODEL_UNKNOWN'],
  ])('%s is refused and leaves no record', async (_, call, code) => {
    await expect((async () => call())()).rejects.toMatchObject({ code });
    expect(await desk.history(model)).toHaveLength(1);
  });
});

describe('a version that was changed since it was promoted', () => {
  test('is not silently the default: the model refuses with both digests, until it is promoted as it is', async () => {
    const { catalog: changed, desk: changedDesk } = await openHouse(loadedVersions({ '1.1.0': 'xx', '1.0.0': 'aa' }));
    expect(() => changed.find(model)).toThrowError(
      expect.objectContaining({
        code: 'MODEL_NOT_READY',
        message: expect.stringMatching(/promoted with digest bb, and is now another with xx.*fhirsight models promote/),
      }),
    );
    expect(changed.withoutDefault()).toMatchObject([{ model }]);
    expect(cdsServices(changed, true)).toEqual([]);
    expect(changed.stateOf(changed.find(model, '1.1.0'))).toBe('candidate');
    await changedDesk.promote(model, '1.1.0', asked);
    expect(changed.find(model).digest).toBe('xx');
  });

  test('is not rolled back to', async () => {
    await desk.promote(model, '1.0.0', asked);
    const { desk: changedDesk } = await openHouse(loadedVersions({ '1.1.0': 'xx', '1.0.0': 'aa' }));
    await expect(changedDesk.rollBack(model, asked)).rejects.toMatchObject({ code: 'VERSION_STATE_CONFLICT' });
  });

  test('is promoted again after a release, and a roll back still means the version that was the default before it', async () => {
    await desk.promote(model, '1.0.0', asked);
    const { catalog: released, desk: releasedDesk } = await openHouse(loadedVersions({ '1.1.0': 'xx', '1.0.0': 'yy' }));
    await releasedDesk.promote(model, '1.0.0', asked);
    await expect(releasedDesk.rollBack(model, asked)).rejects.toMatchObject({
      code: 'VERSION_STATE_CONFLICT',
      message: expect.stringMatching(/^prevent-base@1\.1\.0 was .*fhirsight models promote prevent-base@1\.1\.0$/),
    });
    await releasedDesk.promote(model, '1.1.0', asked);
    await releasedDesk.rollBack(model, asked);
    expect(released.find(model)).toMatchObject({ key: 'prevent-base@1.0.0', digest: 'yy' });
  });
});

describe('a kill switch', () => {
  test.each([
    ['a model', { model }],
    ['its default version', { model, version: '1.1.0' }],
  ])('of %s lets it answer nothing, with the reason, and is lifted again', async (_, target) => {
    await desk.disable(target, { ...asked, because: 'Wrong units since noon.' });
    expect(() => catalog.find(model)).toThrowError(
      expect.objectContaining({
        code: 'MODEL_DISABLED',
        message: expect.stringMatching(/Wrong units since noon\..*fhirsight models enable prevent-base/),
      }),
    );
    expect(cdsServices(catalog, true).map(({ switchedOff }) => switchedOff)).toEqual([true]);
    await desk.enable(target, asked);
    expect(catalog.find(model).key).toBe('prevent-base@1.1.0');
    expect(cdsServices(catalog, true).map(({ switchedOff }) => switchedOff)).toEqual([false]);
  });

  test('of a version leaves the others alone, and keeps it from becoming the default', async () => {
    await desk.disable({ model, version: '1.0.0' }, asked);
    expect(catalog.find(model).key).toBe('prevent-base@1.1.0');
    expect(() => catalog.find(model, '1.0.0')).toThrowError(expect.objectContaining({ code: 'MODEL_DISABLED' }));
    await expect(desk.promote(model, '1.0.0', asked)).rejects.toMatchObject({ code: 'MODEL_DISABLED' });
  });

  test('of a CDS Hooks service leaves $predict alone', async () => {
    await desk.disable({ model, service: model }, asked);
    expect(catalog.find(model).key).toBe('prevent-base@1.1.0');
    expect(cdsServices(catalog, true).map(({ switchedOff }) => switchedOff)).toEqual([true]);
  });

  test('of a model whose output another one takes stops that one too, and says which', async () => {
    const [used] = loadedVersions({ '1.0.0': 'aa' });
    if (used === undefined) throw new Error('there is one');
    const user = { ...used, key: 'user@1.0.0', manifest: { ...used.manifest, id: 'user' }, uses: [used] };
    await desk.disable({ model }, asked);
    const both = catalogOf({ versions: [used, user], refused: [], marks: new Map() }, states.standing());
    expect(() => both.find('user', '1.0.0')).toThrowError(
      expect.objectContaining({
        code: 'MODEL_DISABLED',
        message: expect.stringContaining('prevent-base, whose output it takes, was switched off'),
      }),
    );
  });
});

test('a change is in force on every other server of the database within a second', async () => {
  const { catalog: there } = await openHouse(loadedVersions({ '1.1.0': 'bb', '1.0.0': 'aa' }));
  await desk.disable({ model }, asked);
  await until(() => there.list().every((version) => there.switchedOff(version) !== undefined));
  await desk.enable({ model }, asked);
  await desk.promote(model, '1.0.0', asked);
  await until(() => there.find(model).key === 'prevent-base@1.0.0');
});

test('of two who promote at once both are recorded, one after the other', async () => {
  const other = await openHouse(loadedVersions({ '1.1.0': 'bb', '1.0.0': 'aa' }));
  await Promise.allSettled([
    desk.promote(model, '1.0.0', asked),
    other.desk.promote(model, '1.0.0', { ...asked, requester: 'bob' }),
  ]);
  expect((await desk.history(model)).map(({ action }) => action)).toEqual(['begin', 'promote']);
});

test('a shadow that becomes the default is a shadow no more, also after a roll back', async () => {
  await desk.shadow(model, '1.0.0', true, asked);
  expect(catalog.stateOf(catalog.find(model, '1.0.0'))).toBe('shadow');
  await desk.promote(model, '1.0.0', asked);
  await desk.rollBack(model, asked);
  expect(catalog.stateOf(catalog.find(model, '1.0.0'))).toBe('candidate');
});

test.each([
  "update version_records set because = 'another'",
  'delete from version_records',
  'truncate version_records',
])('no record is changed or removed: %s', async (statement) => {
  await expect(data.database.query(statement)).rejects.toThrow();
  expect(await desk.history(model)).toHaveLength(1);
});
