import { randomUUID } from 'node:crypto';
import type { Bundle, Patient, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalReference } from '../../src/fhir/reference.ts';
import { indexRow } from '../../src/fhir/store/index-row.ts';
import { createSqlRepository, type SqlRepository } from '../../src/fhir/store/sql-repository.ts';
import { deleteResource } from '../../src/fhir/store/write-resource.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { type Forgetting, forgetSubject } from '../../src/monitoring/forget-subject.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createValuesCipher, parseKeys } from '../../src/platform/values-cipher.ts';
import { addMembers, recordMembers } from '../../src/runs/member-table.ts';
import { insertJob, startJob } from '../../src/runs/operation-jobs/operation-job-table.ts';
import { sealCohort, searchOf } from '../../src/runs/sealed-cohort.ts';
import { finishNotice, noteStudies, takeNotice } from '../../src/runs/study-notices/study-notice-table.ts';
import { testCipher } from '../support/test-cipher.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

const base = 'https://ehr.example/fhir';
let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());

const patient: Patient = {
  resourceType: 'Patient',
  id: '17',
  identifier: [{ system: 'urn:mrn', value: 'MRN-0017' }],
  name: [{ family: 'Verne' }],
};
const about = { reference: 'Patient/17' };
const code = { text: 'x' };
/** Names the patient where neither `subject` nor `patient` is. */
const elsewhereNamed: readonly Resource[] = [
  {
    resourceType: 'Appointment',
    id: 'a',
    status: 'booked',
    participant: [
      { actor: { reference: 'Practitioner/1' }, status: 'accepted' },
      { actor: about, status: 'accepted' },
    ],
  },
  {
    resourceType: 'AppointmentResponse',
    id: 'ar',
    appointment: { display: 'x' },
    actor: about,
    participantStatus: 'accepted',
  },
  {
    resourceType: 'Coverage',
    id: 'c',
    status: 'active',
    beneficiary: { reference: `${base}/Patient/17` },
    payor: [{ display: 'x' }],
  },
  { resourceType: 'Account', id: 'ac', status: 'active', subject: [{ reference: 'Patient/18' }, about] },
  { resourceType: 'Person', id: 'p', link: [{ target: about }] },
  { resourceType: 'ResearchSubject', id: 'rs', status: 'candidate', study: { display: 'x' }, individual: about },
  {
    resourceType: 'Provenance',
    id: 'pr',
    recorded: '2026-03-01T10:00:00Z',
    target: [{ reference: 'Patient/17/_history/1' }],
    agent: [{ who: { display: 'x' } }],
  },
];
const document: Bundle = {
  resourceType: 'Bundle',
  id: 'd',
  type: 'document',
  timestamp: '2026-03-01T10:00:00Z',
  identifier: { system: 'urn:x', value: '1' },
  entry: [
    {
      fullUrl: `${base}/Composition/1`,
      resource: {
        resourceType: 'Composition',
        id: '1',
        status: 'final',
        type: code,
        date: '2026-03-01',
        author: [{ display: 'x' }],
        title: 'x',
        subject: about,
      },
    },
    { fullUrl: `${base}/Patient/17`, resource: patient },
  ],
};

function storeOf(tenant: string): SqlRepository {
  return createSqlRepository({
    database: opened.database,
    tenant,
    baseUrl: base,
    clock: systemClock,
    newId: randomUUID,
    timeZone: 'UTC',
    validator: createResourceValidator(),
  });
}

function forget(tenant: string, confirmed = true): Promise<Forgetting> {
  const references = ['Patient/17', `${base}/Patient/17`];
  return forgetSubject(
    opened.database,
    { tenant, id: '17', bases: [base], references },
    {
      patientsOf: (resource) => indexRow(resource as Resource, base, 'UTC').patients,
      searchOf: (run) => searchOf(run, testCipher),
      canonical: (reference) => canonicalReference(reference, base, 'Patient'),
    },
    confirmed,
  );
}

async function versions(tenant: string): Promise<string[]> {
  const { rows } = await opened.database.query<{ name: string }>(
    `select distinct type || '/' || id as name from resource_versions where tenant = $1 order by 1`,
    [tenant],
  );
  return rows.map(({ name }) => name);
}

describe('forgetting a patient', () => {
  it('removes the versions of what was deleted, wherever it named the patient', async () => {
    const tenant = randomUUID();
    const store = storeOf(tenant);
    const other: Patient = { resourceType: 'Patient', id: '18' };
    const others: Resource = {
      resourceType: 'Appointment',
      id: 'b',
      status: 'booked',
      participant: [{ actor: { reference: 'Patient/18' }, status: 'accepted' }],
    };
    await store.writeAll([patient, other, others, ...elsewhereNamed]);
    for (const { resourceType, id = '' } of [others, ...elsewhereNamed])
      await deleteResource(store.context, resourceType, id);
    const foretold = await forget(tenant, false);
    expect(await versions(tenant)).toHaveLength(3 + elsewhereNamed.length);
    expect(await forget(tenant)).toEqual(foretold);
    expect(await versions(tenant)).toEqual(['Appointment/b', 'Patient/18']);
    expect((await forget(tenant)).removed).toEqual({});
  });

  it('finds what lies behind thousands of versions of others', async () => {
    const tenant = randomUUID();
    const store = storeOf(tenant);
    await store.writeAll([{ resourceType: 'Condition', id: 'z', subject: about }]);
    await deleteResource(store.context, 'Condition', 'z');
    await opened.database.query(
      `insert into resource_versions (tenant, type, id, version, last_updated, body)
       select $1, 'Condition', 'a' || n, 1, now(), '{"resourceType":"Condition","subject":{"reference":"Patient/170"}}'
         from generate_series(1, 2000) n`,
      [tenant],
    );
    expect((await forget(tenant)).removed).toEqual({ resource_versions: 2, resources: 1 });
  });

  it('removes the Provenance of what was deleted', async () => {
    const tenant = randomUUID();
    const store = storeOf(tenant);
    const provenance: Resource = {
      ...(elsewhereNamed.at(-1) as Resource),
      target: [{ reference: 'Condition/x/_history/1' }],
    } as Resource;
    await store.writeAll([{ resourceType: 'Condition', id: 'x', subject: about }, provenance]);
    await deleteResource(store.context, 'Condition', 'x');
    await deleteResource(store.context, 'Provenance', 'pr');
    await forget(tenant);
    expect(await versions(tenant)).toEqual([]);
  });

  it('says of documents, Groups and searches of runs that they stay, also where they were deleted', async () => {
    const tenant = randomUUID();
    const store = storeOf(tenant);
    const group: Resource = {
      resourceType: 'Group',
      id: 'g',
      type: 'person',
      actual: true,
      member: [{ entity: about }],
    };
    await store.writeAll([patient, document, group]);
    await deleteResource(store.context, 'Bundle', 'd');
    await deleteResource(store.context, 'Group', 'g');
    const otherCipher = createValuesCipher(parseKeys('the test', `k2:${Buffer.alloc(32, 2).toString('base64')}`));
    const runs = [
      ['Patient?identifier=urn:mrn%7CMRN-0017', testCipher],
      ['Patient?family=verne', testCipher],
      ['ImagingStudy?subject=Patient/17', testCipher],
      ['Patient?gender=female', testCipher],
      ['Patient?gender=male', otherCipher],
    ] as const;
    for (const [search, cipher] of runs) {
      const id = randomUUID();
      await opened.database.query(
        `insert into runs (id, tenant, fhir_base, model_id, model_version, model_digest, cohort, as_of, write_back, explain,
           chunk_size, state, request_hash, created_at)
         values ($1, $2, $3, 'm', '1', 'x', $4, now(), false, false, 1, 'finished', 'x', now())`,
        [id, tenant, base, sealCohort({ search }, id, cipher)],
      );
    }
    const { stays } = await forget(tenant);
    expect(stays.map(({ where, rows }) => [where, rows])).toEqual([
      ['resource_versions (Bundle)', 1],
      ['resource_versions (Group)', 1],
      ['runs (searches)', 3],
      ['runs (sealed searches)', 1],
    ]);
  });

  it('removes asynchronous jobs that wait, which would bring the patient back', async () => {
    const [tenant, key] = [randomUUID(), randomUUID()];
    await insertJob(
      opened.database,
      { tenant, fhirBase: base },
      {
        key,
        owner: 'x',
        subject: '17',
        request: '{}',
        sealKey: Buffer.alloc(32),
        createdAt: new Date(),
        expiresAt: new Date(Date.now() + 60_000),
      },
    );
    expect((await forget(tenant)).removed).toEqual({ operation_jobs: 1 });
    expect(await startJob(opened.database, key, new Date())).toBeUndefined();
  });

  it('DSI-42: leaves no word of an answer to a card, of the clinician or of the client for the reason, and says that the answer stays', async () => {
    const tenant = randomUUID();
    const cards = { both: randomUUID(), comment: randomUUID(), reason: randomUUID(), none: randomUUID() };
    const others = randomUUID();
    for (const [card, subject] of [...Object.values(cards).map((card) => [card, '17']), [others, '18']])
      await opened.database.query(
        `insert into prediction_log (id, tenant, recorded, entrance, request_id, service, card, fhir_base, subject_id, result, state,
           what_if, total_ms)
         values ($1, $2, now(), 'cds-hooks', 'r', 's', $3, $4, $5, 'x', 'scored', false, 1)`,
        [randomUUID(), tenant, card, base, subject],
      );
    const answers = [
      [cards.both, 'as Verne wants', 'Verne says no'],
      [cards.comment, 'as Verne wants', null],
      [cards.reason, null, 'Verne says no'],
      [cards.none, null, null],
      [others, 'of another', 'of another'],
    ];
    for (const [card, comment, reason] of answers)
      await opened.database.query(
        `insert into cds_feedback (tenant, service, card, outcome, outcome_at, accepted_suggestions, user_comment, reason_system,
           reason_code, reason_display, received_at)
         values ($1, 's', $2, 'overridden', now(), '[]', $3, 'urn:x', 'r1', $4, now())`,
        [tenant, card, comment, reason],
      );
    const foretold = await forget(tenant, false);
    const forgotten = await forget(tenant);
    expect(forgotten).toEqual(foretold);
    expect(forgotten.removed).toEqual({ 'cds_feedback (words)': 3 });
    expect(forgotten.stays.map(({ where, rows }) => [where, rows])).toEqual([
      ['prediction_log', 4],
      ['cds_feedback', 4],
    ]);
    const { rows } = await opened.database.query(
      `select card, reason_code, user_comment, reason_display from cds_feedback
       where tenant = $1 and (user_comment is not null or reason_display is not null or reason_code is null)`,
      [tenant],
    );
    expect(rows).toEqual([
      { card: others, reason_code: 'r1', user_comment: 'of another', reason_display: 'of another' },
    ]);
    expect((await forget(tenant)).removed).toEqual({});
  });

  it('takes the studies of the patient out of the members of runs, with the name', async () => {
    const [tenant, run] = [randomUUID(), randomUUID()];
    await opened.database.query(
      `insert into runs (id, tenant, fhir_base, model_id, model_version, model_digest, cohort, as_of, write_back, explain,
         chunk_size, state, request_hash, created_at)
       values ($1, $2, $3, 'm', '1', 'x', 'sealed', now(), false, false, 1, 'expanding', 'x', now())`,
      [run, tenant, base],
    );
    const members = ['17', '17', '18'].map((subject, at) => ({ subject, focus: `ImagingStudy/s${at + 1}` }));
    await addMembers(opened.database, run, members);
    const outcomes = members.map((_, at) => ({ ordinal: at + 1, state: 'abstained' as const, reasons: [] }));
    await recordMembers(opened.database, run, outcomes);
    await opened.database.query("update runs set state = 'finished', cohort = $2 where id = $1", [
      run,
      sealCohort({ search: 'ImagingStudy?modality=CR' }, run, testCipher),
    ]);
    expect((await forget(tenant)).removed).toEqual({ 'run_members (names)': 2 });
    const { rows } = await opened.database.query(
      'select subject_id, focus from run_members where run = $1 order by ordinal',
      [run],
    );
    expect(rows).toEqual([
      { subject_id: 'forgotten-1', focus: '' },
      { subject_id: 'forgotten-2', focus: '' },
      { subject_id: '18', focus: 'ImagingStudy/s3' },
    ]);
  });

  it('removes the studies of the patient that a subscription told of', async () => {
    const tenant = randomUUID();
    const scope = { tenant, fhirBase: base };
    const now = new Date();
    for (const [study, subject] of [
      ['s1', '17'],
      ['s2', '18'],
    ] as const) {
      const key = { model: 'chest', study };
      await noteStudies(opened.database, scope, 'chest', [key], { now, quietMs: 0, longestMs: 0 });
      const taken = await takeNotice(opened.database, scope, now, 1_000);
      if (taken === undefined) throw new Error('nothing was noted');
      await finishNotice(opened.database, scope, taken, { subject, at: now });
    }
    expect((await forget(tenant)).removed).toEqual({ study_notices: 1 });
  });

  it('removes who reviewed reports of the patient, and what they wrote', async () => {
    const tenant = randomUUID();
    for (const [report, subject] of [
      ['r1', '17'],
      ['r2', '18'],
    ])
      await opened.database.query(
        `insert into report_reviews (tenant, report_id, version, read_version, verdict, reviewer, reviewed_at, user_comment, result,
           fhir_base, subject_id, model_id, model_version, model_digest)
         values ($1, $2, 2, 1, 'rejected', 'Practitioner/1', now(), 'not Verne', 'x', $3, $4, 'm', '1.0.0', 'd')`,
        [tenant, report, base, subject],
      );
    expect((await forget(tenant)).removed).toEqual({ report_reviews: 1 });
    const { rows } = await opened.database.query('select report_id from report_reviews where tenant = $1', [tenant]);
    expect(rows).toEqual([{ report_id: 'r2' }]);
  });
});
