import { randomUUID } from 'node:crypto';
import type { Device, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readResource } from '../../src/fhir/store/read-resource.ts';
import { type StoreContext, storeContext } from '../../src/fhir/store/store-context.ts';
import { deleteResource, updateResource } from '../../src/fhir/store/write-resource.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import type { OutcomeRecord } from '../../src/write-back/outcome-record.ts';
import { openSqlResultStore } from '../../src/write-back/sql-result-store.ts';
import { isTaggedSuperseded, metaWithSupersededTag } from '../../src/write-back/superseded-tag.ts';
import { asRiskAssessment } from '../support/as-risk-assessment.ts';
import { abstainedRecord, outcomeBase, resourcesOf, scoredRecord } from '../support/outcome-record.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { writeResult } from '../support/write-result.ts';

type Result = RiskAssessment & { id: string };

const options = {
  baseUrl: outcomeBase,
  clock: systemClock,
  newId: randomUUID,
  timeZone: 'UTC',
  validator: createResourceValidator(),
};
let opened: TestDatabase;
let database: Database;
/** The store as a client reaches it. */
let client: StoreContext;

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
  client = storeContext({ ...options, database, tenant: 'default' });
});
beforeEach(async () => {
  for (const table of ['outcomes', 'resources', 'resource_versions']) await database.query(`delete from ${table}`);
});
afterAll(() => opened.close());

const write = (made: OutcomeRecord) =>
  writeResult(database, (sql, tenant) => openSqlResultStore(options, sql, tenant), made);
const writeBack = async (made: OutcomeRecord): Promise<{ resource: Result; created: boolean; repeated: boolean }> => {
  const openStore = (sql: Parameters<typeof openSqlResultStore>[1], tenant: string) =>
    openSqlResultStore(options, sql, tenant);
  const { resource, created, repeated } = await writeResult(database, openStore, made, resourcesOf(made));
  if (resource === undefined) throw new Error('nothing was stored');
  return { resource: { ...asRiskAssessment(resource), id: resource.id }, created, repeated };
};
const put = (resource: RiskAssessment | Device) => updateResource(client, resource);
const remove = (type: string, id: string) => deleteResource(client, type, id);
const readResult = async (id: string) => (await readResource(client, 'RiskAssessment', id)) as Result;
const isTagged = async (id: string) => isTaggedSuperseded(await readResult(id));

const percentOf = ({ prediction }: RiskAssessment) => prediction?.[0]?.probabilityDecimal;
const withPercent = (resource: Result, probabilityDecimal: number): Result => ({
  ...resource,
  prediction: resource.prediction?.map((one) => ({ ...one, probabilityDecimal })) ?? [],
});
const at = (time: string) => ({ asOf: new Date(`2026-03-01T${time}Z`), computedAt: new Date('2026-03-01T12:00:00Z') });

describe('a number that a client wrote is never given out as a prediction', () => {
  test('a RiskAssessment of another patient under the identifier of a coming prediction stays out of it', async () => {
    const made = scoredRecord('a');
    const forged = { ...resourcesOf(made).result, id: 'forged', subject: { reference: 'Patient/2' } };
    await put(withPercent(forged, 0.1));
    const { resource, created } = await writeBack(made);
    expect(created).toBe(true);
    expect(resource.id).not.toBe('forged');
    expect(resource.subject.reference).toBe('Patient/1');
    expect(percentOf(resource)).toBe(14.7);
    expect((await writeBack(made)).resource).toEqual(resource);
  });

  test('two of them do not stop the prediction from being written', async () => {
    const made = scoredRecord('a');
    for (const id of ['forged-1', 'forged-2']) await put({ ...resourcesOf(made).result, id });
    expect((await writeBack(made)).created).toBe(true);
  });

  test.each<[string, (resource: Result) => RiskAssessment]>([
    ['the number', (resource) => withPercent(resource, 0.01)],
    ['the status', (resource) => ({ ...resource, status: 'entered-in-error' })],
    ['the subject', (resource) => ({ ...resource, subject: { reference: 'Patient/2' } })],
    ['the encounter', (resource) => ({ ...resource, encounter: { reference: 'Encounter/other' } })],
    ['the inputs', ({ extension: _, ...resource }) => resource],
    ['the identifier', ({ identifier: _, ...resource }) => resource],
    ['the basis', ({ basis: _, ...resource }) => resource],
    ['the performer', (resource) => ({ ...resource, performer: { display: 'Somebody' } })],
    ['the narrative', (resource) => ({ ...resource, text: emptyNarrative })],
    ['the meaning, by a modifier', (resource) => ({ ...resource, modifierExtension: [negation] })],
  ])(
    'a written result of which a client changed %s is WRITE_CONFLICT on a repeat, and is not overwritten',
    async (_, change) => {
      const made = scoredRecord('a');
      const { resource } = await writeBack(made);
      await put(change(resource));
      const changed = await readResult(resource.id);
      await expect(writeBack(made)).rejects.toMatchObject({
        code: 'WRITE_CONFLICT',
        message: expect.stringMatching(new RegExp(`RiskAssessment/${resource.id}.*changed.*Delete it`)),
      });
      expect(await readResult(resource.id)).toEqual(changed);
      expect((await write(made)).repeated).toBe(true);
    },
  );

  test('deleting the changed one is the way out: the computed one is stored again', async () => {
    const made = scoredRecord('a');
    const { resource } = await writeBack(made);
    await put(withPercent(resource, 0.01));
    await remove('RiskAssessment', resource.id);
    const again = await writeBack(made);
    expect(again).toMatchObject({ created: true, repeated: true });
    expect(percentOf(again.resource)).toBe(14.7);
    expect(again.resource.id).not.toBe(resource.id);
  });

  test('one that a client stores again under the id of a deleted result is not the result', async () => {
    const made = scoredRecord('a');
    const { resource } = await writeBack(made);
    await remove('RiskAssessment', resource.id);
    await put(withPercent(resource, 0.01));
    await expect(writeBack(made)).rejects.toMatchObject({ code: 'WRITE_CONFLICT' });
  });

  test('a note that a client added, and a change that was taken back, leave the result what it was', async () => {
    const made = scoredRecord('a');
    const { resource } = await writeBack(made);
    await put(withPercent(resource, 0.01));
    await put({ ...resource, note: [...(resource.note ?? []), { text: 'seen' }] });
    const again = await writeBack(made);
    expect(again.created).toBe(false);
    expect(again.resource.note?.at(-1)).toEqual({ text: 'seen' });
    expect(percentOf(again.resource)).toBe(14.7);
  });
});

describe('DEV-2 no result refers to a Device that says something else than the model version', () => {
  test.each<[string, (device: Device) => Device]>([
    ['version', (device) => ({ ...device, version: [{ value: '9.9.9' }] })],
    ['digest', ({ identifier: _, ...device }) => device],
    ['status', (device) => ({ ...device, status: 'entered-in-error' })],
  ])('a Device whose %s a client changed is WRITE_CONFLICT for new results and for repeats', async (_, change) => {
    const made = scoredRecord('a');
    await writeBack(made);
    const { device } = resourcesOf(made);
    await put(change(device));
    const conflict = {
      code: 'WRITE_CONFLICT',
      message: expect.stringMatching(new RegExp(`Device/${device.id}.*Delete it`)),
    };
    await expect(writeBack(made)).rejects.toMatchObject(conflict);
    await expect(writeBack(scoredRecord('b', { subjectId: '2' }))).rejects.toMatchObject(conflict);
    await remove('Device', device.id);
    await writeBack(scoredRecord('b', { subjectId: '2' }));
    expect(await readResource(client, 'Device', device.id)).toMatchObject({ version: [{ value: '1.2.3' }] });
  });

  test('a Device that a client stored before the first result is not taken for the model', async () => {
    const made = scoredRecord('a');
    await put({ ...resourcesOf(made).device, manufacturer: 'Somebody' });
    await expect(writeBack(made)).rejects.toMatchObject({ code: 'WRITE_CONFLICT' });
    const { rows } = await database.query('select 1 from outcomes');
    expect(rows).toEqual([]);
  });
});

describe('the superseded tag says what the outcomes say, whatever clients write', () => {
  const [early, late] = [scoredRecord('a', at('09:00:00')), scoredRecord('b', at('10:00:00'))];

  test.each<[string, OutcomeRecord]>([
    ['a repeat of the superseded prediction', early],
    ['a repeat of the current one', late],
    ['a later prediction', scoredRecord('c', at('11:00:00'))],
    ['a later abstention', abstainedRecord('c', at('11:00:00'))],
  ])(
    'a client that stores its older copy again does not make a superseded result current: after %s it is tagged',
    async (_, next) => {
      const { resource } = await writeBack(early);
      await writeBack(late);
      await remove('RiskAssessment', resource.id);
      await put(resource);
      expect(await isTagged(resource.id)).toBe(false);
      await write(next);
      expect(await isTagged(resource.id)).toBe(true);
    },
  );

  test('an update with an older copy loses no tag beyond the next prediction', async () => {
    const { resource } = await writeBack(early);
    await writeBack(late);
    await put({ ...resource, note: [{ text: 'x' }] });
    await write(scoredRecord('c', at('11:00:00')));
    expect(await isTagged(resource.id)).toBe(true);
  });

  test('a repeat of the superseded prediction gives the result with its tag', async () => {
    const { resource } = await writeBack(early);
    await writeBack(late);
    await remove('RiskAssessment', resource.id);
    await put(resource);
    expect(isTaggedSuperseded((await writeBack(early)).resource)).toBe(true);
  });

  test('a client that tags the current result as superseded does not hide it beyond the next prediction', async () => {
    await writeBack(early);
    const { resource } = await writeBack(late);
    await put({ ...resource, meta: metaWithSupersededTag(resource.meta ?? {}, true) });
    expect(await isTagged(resource.id)).toBe(true);
    await write(late);
    expect(await isTagged(resource.id)).toBe(false);
  });

  test('a change that a client commits while the result is being superseded is kept, and tagged', async () => {
    const { resource } = await writeBack(early);
    const begun = Promise.withResolvers<void>();
    const superseding = begun.promise.then(() => write(late));
    await client.inTransaction(async (transaction) => {
      await updateResource(transaction, { ...resource, note: [{ text: 'seen' }] });
      begun.resolve();
      // Time for the writer to come up to the row that this transaction holds.
      for (let statement = 0; statement < 50; statement++) await transaction.sql.query('select 1');
    });
    await superseding;
    const { note, meta } = await readResult(resource.id);
    expect(note).toEqual([{ text: 'seen' }]);
    expect(meta?.versionId).toBe('3');
    expect(await isTagged(resource.id)).toBe(true);
  });

  test('a result that stands again loses this tag, and keeps the others and its labels', async () => {
    const before = scoredRecord('a', { computedAt: new Date('2026-03-01T09:00:01Z') });
    const { resource } = await writeBack(before);
    const workflow = { system: 'urn:example:workflow', code: 'reviewed' };
    await put({ ...resource, meta: { ...resource.meta, tag: [workflow] } });
    await writeBack(scoredRecord('b', { computedAt: new Date('2026-03-01T09:00:02Z') }));
    expect(await isTagged(resource.id)).toBe(true);
    await writeBack({ ...before, computedAt: new Date('2026-03-01T09:00:03Z') });
    const { meta } = await readResult(resource.id);
    expect(meta?.tag).toEqual([workflow]);
    expect(meta?.security).toEqual(resource.meta?.security);
  });
});

const emptyNarrative = { status: 'generated' as const, div: '<div xmlns="http://www.w3.org/1999/xhtml">0.1 %</div>' };
const negation = { url: 'urn:example:not', valueBoolean: true };
