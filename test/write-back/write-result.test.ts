import { randomUUID } from 'node:crypto';
import type { Device, Provenance, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { resultValidUntil } from '../../src/results/build-result.ts';
import type { OutcomeRecord } from '../../src/write-back/outcome-record.ts';
import type { OpenResultStore } from '../../src/write-back/result-store.ts';
import { openSqlResultStore } from '../../src/write-back/sql-result-store.ts';
import { isTaggedSuperseded, metaWithSupersededTag } from '../../src/write-back/superseded-tag.ts';
import { asRiskAssessment } from '../support/as-risk-assessment.ts';
import {
  abstainedRecord as abstention,
  outcomeBase as base,
  scoredRecord as record,
  resourcesOf as resources,
} from '../support/outcome-record.ts';
import { resultRequest } from '../support/result-request.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { writeResult } from '../support/write-result.ts';

const validator = createResourceValidator();
let opened: TestDatabase;
let database: Database;

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
});
beforeEach(async () => {
  await database.query('delete from outcomes');
  await database.query('delete from resources');
  await database.query('delete from resource_versions');
});
afterAll(async () => {
  await opened.close();
});

const openStore: OpenResultStore = (sql, tenant) =>
  openSqlResultStore({ baseUrl: base, clock: systemClock, newId: randomUUID, timeZone: 'UTC', validator }, sql, tenant);

const write = (made: OutcomeRecord) => writeResult(database, openStore, made);
const writeBack = (made: OutcomeRecord) => writeResult(database, openStore, made, resources(made));

async function stored<Kind>(type: string): Promise<Kind[]> {
  const { rows } = await database.query<{ body: string }>(
    'select body::text as body from resources where type = $1 and not deleted order by id',
    [type],
  );
  return rows.map(({ body }) => JSON.parse(body) as Kind);
}

async function current(): Promise<string[]> {
  const { rows } = await database.query<{ identifier: string }>(
    'select identifier from outcomes where superseded_by is null and not what_if order by identifier',
  );
  return rows.map(({ identifier }) => identifier);
}

async function riskAssessmentOf(made: OutcomeRecord): Promise<RiskAssessment> {
  const found = (await stored<RiskAssessment>('RiskAssessment')).find(
    ({ identifier }) => identifier?.[0]?.value === made.identifier,
  );
  if (found === undefined) throw new Error('no RiskAssessment');
  return found;
}

const at = (time: string) => ({ asOf: new Date(`2026-03-01T${time}Z`), computedAt: new Date('2026-03-01T12:00:00Z') });

test('an outcome is kept as it was given, and without writeBack nothing becomes a resource', async () => {
  const made = record('a');
  const { row, repeated, resource } = await write(made);
  expect(row).toEqual(made);
  expect(repeated).toBe(false);
  expect(resource).toBeUndefined();
  expect(await stored('RiskAssessment')).toEqual([]);
  expect(resultValidUntil(resultRequest())).toEqual(made.validUntil);
});

test('GX-2 with writeBack RiskAssessment, Device and Provenance are stored, and refer to each other', async () => {
  const made = record('a');
  const { row, resource } = await writeBack(made);
  const [device] = await stored<Device>('Device');
  const [provenance] = await stored<Provenance>('Provenance');
  expect(row.resourceId).toBe(resource?.id);
  expect(asRiskAssessment(resource).performer?.reference).toBe(`Device/${device?.id}`);
  expect(provenance?.target?.[0]?.reference).toBe(`RiskAssessment/${resource?.id}/_history/1`);
  expect(provenance?.agent?.[0]?.who?.reference).toBe(`Device/${device?.id}`);
  expect(isTaggedSuperseded(await riskAssessmentOf(made))).toBe(false);
});

test('OP-61 a repeat creates nothing new, and gives back the first row and resource', async () => {
  const made = record('a');
  const first = await writeBack(made);
  const again = await writeBack({ ...made, computedAt: new Date('2026-03-02T00:00:00Z') });
  expect(first).toMatchObject({ repeated: false, created: true });
  expect(again).toEqual({ ...first, repeated: true, created: false });
  const without = await write(made);
  expect(without.row).toEqual(first.row);
  expect(await stored('RiskAssessment')).toHaveLength(1);
  expect(await stored('Provenance')).toHaveLength(1);
  const { rows } = await database.query('select 1 from resource_versions');
  expect(rows).toHaveLength(3);
});

test('a repeat with writeBack after a first call without it stores the resource then', async () => {
  const made = record('a');
  await write(made);
  const { row, repeated, resource } = await writeBack(made);
  expect(repeated).toBe(true);
  expect(resource?.identifier?.[0]?.value).toBe(made.identifier);
  expect(row.resourceId).toBe(resource?.id);
  expect((await write(made)).row.resourceId).toBe(resource?.id);
});

test('DEV-2 the Device of a model version is created once and never changed', async () => {
  await writeBack(record('a'));
  const [device] = await stored<Device>('Device');
  await writeBack(record('b', { subjectId: '2' }));
  expect(await stored('Device')).toEqual([device]);
  expect(device?.meta?.versionId).toBe('1');
});

test('a later prediction supersedes an earlier one: the row is marked and the resource is tagged by an update', async () => {
  const [early, late] = [record('a', at('09:00:00')), record('b', at('10:00:00'))];
  await writeBack(early);
  const { row } = await writeBack(late);
  expect(row.supersededBy).toBeUndefined();
  expect(await current()).toEqual([late.identifier]);
  const tagged = await riskAssessmentOf(early);
  expect(tagged.meta?.tag).toEqual([
    { system: 'https://fhirsight.org/fhir/CodeSystem/result-state', code: 'superseded', display: 'Superseded' },
  ]);
  expect(tagged.meta?.versionId).toBe('2');
  expect(tagged.meta?.security?.[0]?.code).toBe('AIAST');
  expect(isTaggedSuperseded(await riskAssessmentOf(late))).toBe(false);
  const kept = await write(early);
  expect(kept.row).toMatchObject({ supersededBy: late.identifier, supersededAt: late.computedAt });
});

test('an abstention supersedes too, so that an old 40 % never stays current', async () => {
  const early = record('a', at('09:00:00'));
  await writeBack(early);
  const late = abstention('b', at('10:00:00'));
  const { row } = await write(late);
  expect(row).not.toHaveProperty('scores');
  expect(await current()).toEqual([late.identifier]);
  expect(isTaggedSuperseded(await riskAssessmentOf(early))).toBe(true);
});

test('a prediction supersedes an abstention', async () => {
  await write(abstention('a', at('09:00:00')));
  const late = record('b', at('10:00:00'));
  await write(late);
  expect(await current()).toEqual([late.identifier]);
});

test('a prediction at an earlier as-of is born superseded, whenever it is computed', async () => {
  const late = record('b', at('10:00:00'));
  await writeBack(late);
  const early = record('a', { ...at('09:00:00'), computedAt: new Date('2026-04-01T00:00:00Z') });
  const { row, resource } = await writeBack(early);
  expect(row.supersededBy).toBe(late.identifier);
  expect(await current()).toEqual([late.identifier]);
  expect(resource && isTaggedSuperseded(resource)).toBe(true);
  expect(isTaggedSuperseded(await riskAssessmentOf(late))).toBe(false);
});

test('at one as-of the later computed outcome is the current one, in whatever order they are written', async () => {
  const first = record('a', { computedAt: new Date('2026-03-01T09:00:01Z') });
  const second = record('b', { computedAt: new Date('2026-03-01T09:00:02Z') });
  await write(second);
  await write(first);
  expect(await current()).toEqual([second.identifier]);
});

test('a superseded outcome whose resource is asked for later is stored with the tag', async () => {
  const early = record('a', at('09:00:00'));
  await write(early);
  await write(record('b', at('10:00:00')));
  const { resource } = await writeBack(early);
  expect(resource && isTaggedSuperseded(resource)).toBe(true);
});

test('when a value that changed the result is withdrawn again, the result before it stands again', async () => {
  const before = record('a', { computedAt: new Date('2026-03-01T09:00:01Z') });
  const wrong = record('b', { computedAt: new Date('2026-03-01T09:00:02Z') });
  await writeBack(before);
  await writeBack(wrong);
  expect(await current()).toEqual([wrong.identifier]);
  const { row, repeated } = await writeBack({ ...before, computedAt: new Date('2026-03-01T09:00:03Z') });
  expect(repeated).toBe(true);
  expect(row.supersededBy).toBeUndefined();
  expect(await current()).toEqual([before.identifier]);
  expect(isTaggedSuperseded(await riskAssessmentOf(before))).toBe(false);
  expect(isTaggedSuperseded(await riskAssessmentOf(wrong))).toBe(true);
  expect(await stored('RiskAssessment')).toHaveLength(2);
});

test('a repeat of an outcome at an earlier as-of does not make it current again', async () => {
  const early = record('a', at('09:00:00'));
  const late = record('b', at('10:00:00'));
  await write(early);
  await write(late);
  await write({ ...early, computedAt: new Date('2027-01-01T00:00:00Z') });
  expect(await current()).toEqual([late.identifier]);
});

test.each<[string, Partial<OutcomeRecord>]>([
  ['encounters', { encounterId: 'e2' }],
  ['FHIR bases that both hold Patient/1', { fhirBase: 'https://ehr.example/fhir' }],
  ['tenants', { tenant: 'other' }],
  ['models', { modelId: 'other-model' }],
  ['subjects', { subjectId: '2' }],
])('outcomes of two %s never supersede each other', async (_, other) => {
  const one = record('a', at('09:00:00'));
  const two = record('a', { ...at('10:00:00'), ...other });
  await writeBack(one);
  await write(two);
  expect(await current()).toEqual([one.identifier, two.identifier].sort());
  expect(isTaggedSuperseded(await riskAssessmentOf(one))).toBe(false);
});

test('another version of the model supersedes the one before: they speak of the same thing', async () => {
  await write(record('a', at('09:00:00')));
  const late = record('b', { ...at('10:00:00'), modelVersion: '2.0.0' });
  await write(late);
  expect(await current()).toEqual([late.identifier]);
});

test('a what-if outcome is kept, supersedes nothing, is superseded by nothing, and is never written back', async () => {
  const real = record('a', at('09:00:00'));
  await writeBack(real);
  const asserted = record('b', { ...at('10:00:00'), whatIf: true });
  await write(asserted);
  expect((await write(asserted)).repeated).toBe(true);
  const last = record('c', at('11:00:00'));
  await write(last);
  expect(await current()).toEqual([last.identifier]);
  expect((await write(asserted)).row).not.toHaveProperty('supersededBy');
  await expect(writeBack(asserted)).rejects.toMatchObject({ code: 'WHAT_IF_NOT_WRITABLE' });
});

test('only the RiskAssessment of the outcome itself can be stored with it', async () => {
  await expect(writeResult(database, openStore, record('a'), resources(record('b')))).rejects.toMatchObject({
    code: 'INTERNAL',
  });
  const nothing = abstention('a');
  await expect(writeResult(database, openStore, nothing, resources(nothing))).rejects.toMatchObject({
    code: 'INTERNAL',
  });
  expect(await current()).toEqual([]);
});

test('a resource the store refuses is WRITE_REJECTED, and neither row nor Device nor tag is kept', async () => {
  const early = record('a', at('09:00:00'));
  await writeBack(early);
  const late = record('b', at('10:00:00'));
  const made = resources(late);
  const invalid = { ...made.result, status: 'nearly' } as unknown as RiskAssessment;
  await expect(writeResult(database, openStore, late, { ...made, result: invalid })).rejects.toMatchObject({
    code: 'WRITE_REJECTED',
  });
  expect(await current()).toEqual([early.identifier]);
  expect(isTaggedSuperseded(await riskAssessmentOf(early))).toBe(false);
});

test('a failure after the RiskAssessment leaves nothing of the transaction behind', async () => {
  const made = record('a');
  const failing = {
    ...resources(made),
    provenance: () => {
      throw new Error('no Provenance');
    },
  };
  await expect(writeResult(database, openStore, made, failing)).rejects.toThrow('no Provenance');
  for (const type of ['RiskAssessment', 'Device', 'Provenance']) expect(await stored(type)).toEqual([]);
  expect(await current()).toEqual([]);
});

test('a result that was deleted is not tagged, does not stop a later one, and is stored anew when asked for', async () => {
  const early = record('a', at('09:00:00'));
  await writeBack(early);
  await database.query("update resources set deleted = true, body = null, identifiers = '{}'");
  const late = record('b', at('10:00:00'));
  await writeBack(late);
  expect(await current()).toEqual([late.identifier]);
  expect(await stored('Device')).toHaveLength(1);
});

test('a change of the resource by somebody else in between is kept when it is tagged', async () => {
  const early = record('a', at('09:00:00'));
  await writeBack(early);
  const racing: OpenResultStore = (sql, tenant) => {
    const store = openStore(sql, tenant);
    return {
      ...store,
      async tagSuperseded(wanted) {
        const changed = `replace(body::text, '"preliminary"', '"entered-in-error"')::json`;
        await sql.query(`update resources set body = ${changed} where type = 'RiskAssessment'`);
        return await store.tagSuperseded(wanted);
      },
    };
  };
  await writeResult(database, racing, record('b', at('10:00:00')));
  const tagged = await riskAssessmentOf(early);
  expect(tagged.status).toBe('entered-in-error');
  expect(isTaggedSuperseded(tagged)).toBe(true);
});

test('20 writes at once for one subject leave exactly one current outcome, and every other one superseded and tagged', async () => {
  const made = Array.from({ length: 20 }, (_, index) =>
    record(`write ${index}`, { asOf: new Date(Date.UTC(2026, 2, 1, 9, (index * 7) % 20)) }),
  );
  await Promise.all(made.map(writeBack));
  const newest = made.reduce((one, other) => (other.asOf > one.asOf ? other : one));
  expect(await current()).toEqual([newest.identifier]);
  const assessments = await stored<RiskAssessment>('RiskAssessment');
  expect(assessments).toHaveLength(20);
  expect(assessments.filter((one) => !isTaggedSuperseded(one)).map(({ identifier }) => identifier?.[0]?.value)).toEqual(
    [newest.identifier],
  );
  expect(await stored('Device')).toHaveLength(1);
});

test('the same prediction written 20 times at once is one row, one RiskAssessment and one Provenance', async () => {
  const made = record('a');
  const receipts = await Promise.all(Array.from({ length: 20 }, () => writeBack(made)));
  expect(receipts.filter(({ repeated }) => !repeated)).toHaveLength(1);
  expect(new Set(receipts.map(({ resource }) => resource?.id)).size).toBe(1);
  expect(await stored('RiskAssessment')).toHaveLength(1);
  expect(await stored('Provenance')).toHaveLength(1);
});

test('first results of one model for different subjects at once share one Device', async () => {
  await Promise.all(Array.from({ length: 10 }, (_, index) => writeBack(record('a', { subjectId: `s${index}` }))));
  expect(await stored('Device')).toHaveLength(1);
  expect(await current()).toHaveLength(10);
});

test('the tag is added once, taken away alone, and other tags stay', () => {
  const plain = { tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HTEST' }] };
  const tagged = metaWithSupersededTag(plain, true);
  expect(tagged.tag).toHaveLength(2);
  expect(metaWithSupersededTag(tagged, true)).toBe(tagged);
  expect(metaWithSupersededTag(tagged, false)).toEqual(plain);
  const bare = {};
  expect(metaWithSupersededTag(bare, false)).toBe(bare);
  expect(metaWithSupersededTag(metaWithSupersededTag(bare, true), false)).toEqual({});
});
