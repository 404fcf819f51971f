import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EarlierQuestion, findEarlierResult } from '../../src/monitoring/earlier-result.ts';
import { inputHash } from '../../src/monitoring/input-hash.ts';
import { createMonitoring } from '../../src/monitoring/monitored-predict.ts';
import type { PredictionOutcome, Scored } from '../../src/prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../../src/prediction/prediction-request.ts';
import { saveOutcomes } from '../../src/write-back/outcome-table.ts';
import { scoredRecord } from '../support/outcome-record.ts';
import { predictionRequest, scoredOutcome } from '../support/prediction-outcome.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

const base = 'https://ehr.example/fhir';
const noon = new Date('2026-03-01T12:00:00Z');
const hours = (count: number): Date => new Date(noon.getTime() + count * 3_600_000);
const digest = scoredOutcome().model.digest;
const otherInputs: Scored['inputs'] = { ...scoredOutcome().inputs, features: new Map() };

let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

/** What the log keeps of one call. */
async function said(
  tenant: string,
  change: Partial<PredictionRequest> = {},
  outcome: Partial<Scored> = {},
  abstained = false,
): Promise<void> {
  const asOf = outcome.asOf ?? noon;
  const monitoring = createMonitoring({
    database: opened.database,
    clock: { now: () => asOf },
    tenant,
    newId: randomUUID,
    findModel: () => undefined,
    subjectBase: base,
    subjectBaseOf: async (named) => named,
    onPrediction: () => undefined,
    event: () => undefined,
  });
  const whole = scoredOutcome({ subjectBase: base, asOf, identifier: randomUUID(), ...outcome });
  const { state: _, ...rest } = whole;
  const given = (abstained ? { ...rest, state: 'abstained' } : whole) as PredictionOutcome;
  await monitoring.watched(async () => given, {
    ...predictionRequest(),
    entrance: 'cds-hooks',
    subject: '17',
    caller: { user: 'Practitioner/7', key: 'ehr', service: 'prevent-base', card: randomUUID() },
    ...change,
  });
  await monitoring.close();
}

const question = (tenant: string, change: Partial<EarlierQuestion> = {}): EarlierQuestion => ({
  tenant,
  callerKey: 'ehr',
  user: 'Practitioner/7',
  service: 'prevent-base',
  fhirBase: base,
  subject: '17',
  encounter: undefined,
  focus: undefined,
  model: 'prevent-base',
  digest,
  since: hours(-1),
  now: hours(1),
  ...change,
});
const find = (tenant: string, change: Partial<EarlierQuestion> = {}) =>
  findEarlierResult(opened.database, question(tenant, change));

describe('an earlier result', () => {
  it('is found with its scores, its time, its card and the hash of its inputs', async () => {
    const tenant = randomUUID();
    const card = randomUUID();
    const caller = { user: 'Practitioner/7', key: 'ehr', service: 'prevent-base', card };
    await said(tenant, { caller }, { identifier: 'r1', scores: new Map([['ascvd-10y', 0.125]]) });
    expect(await find(tenant)).toEqual({
      result: 'r1',
      asOf: noon,
      card,
      scores: { 'ascvd-10y': 0.125 },
      inputHash: inputHash(scoredOutcome().inputs),
      missing: expect.any(Object),
      assumed: expect.any(Array),
    });
  });

  it.each<[string, Partial<EarlierQuestion>]>([
    ['another client', { callerKey: 'other-ehr' }],
    ['another user, whose rights are others', { user: 'Practitioner/8' }],
    ['no user', { user: undefined }],
    ['another service', { service: 'stroke' }],
    ['the patient of the same id at another server', { fhirBase: 'https://other.example/fhir' }],
    ['another patient', { subject: '18' }],
    ['another encounter', { encounter: 'visit' }],
    ['another order', { focus: 'ServiceRequest/2' }],
    ['another model', { model: 'pce-2013' }],
    ['another version: its digest', { digest: 'f'.repeat(64) }],
    ['a call that wants a newer one', { since: hours(0.5) }],
    ['an instant before it', { now: hours(-0.5) }],
  ])('is none of %s', async (_, change) => {
    const tenant = randomUUID();
    await said(tenant);
    expect(await find(tenant)).toBeDefined();
    expect(await find(tenant, change)).toBeUndefined();
  });

  it('is none where nobody says who the user is: two users of one client are two, with rights of their own', async () => {
    const tenant = randomUUID();
    await said(tenant, { caller: { key: 'ehr', service: 'prevent-base', card: randomUUID() } });
    expect(await find(tenant, { user: undefined })).toBeUndefined();
  });

  it('is none of another tenant', async () => {
    await said(randomUUID());
    expect(await find(randomUUID())).toBeUndefined();
  });

  it('is told apart by its order: those of two orders of one patient never take the place of each other', async () => {
    const tenant = randomUUID();
    await said(tenant, { focus: 'ServiceRequest/1' }, { identifier: 'of-one' });
    await said(tenant, { focus: 'ServiceRequest/2' }, { identifier: 'of-two', asOf: hours(0.5) });
    expect((await find(tenant, { focus: 'ServiceRequest/1' }))?.result).toBe('of-one');
    expect((await find(tenant, { focus: 'ServiceRequest/2' }))?.result).toBe('of-two');
    expect(await find(tenant)).toBeUndefined();
  });

  it.each<[string, Partial<PredictionRequest>]>([
    ['asserted values', { inputs: [{ name: 'age', value: 50 }] as never }],
    ['a shadow', { shadow: true }],
    ['another entrance', { entrance: 'fhir-operation' }],
  ])('is never one of %s', async (_, change) => {
    const tenant = randomUUID();
    await said(tenant, change);
    expect(await find(tenant)).toBeUndefined();
  });

  it('is none once the model has abstained since', async () => {
    const tenant = randomUUID();
    await said(tenant);
    await said(tenant, {}, { asOf: hours(0.5) }, true);
    expect(await find(tenant)).toBeUndefined();
  });

  it('is none once anybody saw other inputs of the subject since, and one where they were the same', async () => {
    const tenant = randomUUID();
    const caller = { user: 'Practitioner/9', key: 'other-ehr', service: 'other' };
    await said(tenant);
    await said(tenant, { caller, entrance: 'fhir-operation' }, { asOf: hours(0.25) });
    expect(await find(tenant)).toBeDefined();
    await said(tenant, { caller, entrance: 'fhir-operation' }, { asOf: hours(0.5), inputs: otherInputs });
    expect(await find(tenant)).toBeUndefined();
  });

  it('is none once it is superseded', async () => {
    const tenant = randomUUID();
    const kept = scoredRecord('one', { tenant, fhirBase: base, subjectId: '17' });
    await said(tenant, {}, { identifier: kept.identifier });
    expect(await find(tenant)).toBeDefined();
    const row = { ...kept, supersededBy: 'f'.repeat(64), supersededAt: hours(0.5) };
    await saveOutcomes(opened.database, tenant, [row], []);
    expect(await find(tenant)).toBeUndefined();
  });
});
