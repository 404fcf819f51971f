import type { Observation, Patient, Resource } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { refuseOwnBases } from '../../src/prediction/open-server.ts';
import type { PredictionOutcome, Scored } from '../../src/prediction/prediction-outcome.ts';
import type { HeldAnswers, PredictionRequest, Seed } from '../../src/prediction/prediction-request.ts';
import { referredNames } from '../../src/records/referred-names.ts';
import { asRiskAssessment } from '../support/as-risk-assessment.ts';
import { captureLog } from '../support/captured-log.ts';
import { send } from '../support/fhir-test-server.ts';
import { patientOne } from '../support/patient-one.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { type StubFault, type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';
import { transactionOf } from '../support/transaction-of.ts';

const now = new Date('2026-03-01T12:00:00Z');
const asOf = new Date('2026-03-01T11:00:00Z');
const token = 'token-of-this-call-4711';
const log = captureLog('debug');
const faults: StubFault[] = [];
const anna = patientOne({
  gender: 'female',
  birthDate: '1970-06-15',
  systolic: 131.07,
  totalCholesterol: 201.07,
  hdlCholesterol: 51.07,
  bodyMassIndex: 24.07,
  creatinine: 0.711,
});
const sampled = 40;

let listed: StubFhirServer;
let elsewhere: StubFhirServer;
let server: StartedFhirsight;

beforeAll(async () => {
  listed = await startStubFhirServer({ resources: anna, faults });
  elsewhere = await startStubFhirServer({ resources: anna });
  server = await startFhirsight({
    models: ['prevent-base', 'pce-2013'],
    clock: { now: () => now },
    logger: log.logger,
    settings: { CDS_FHIR_SERVERS: listed.base },
  });
  const stored = await send(server.fhir, 'POST', transactionOf(anna, { fullUrls: false }));
  expect(stored.status, stored.text).toBe(200);
  await loadSamplePatients(server.house, { patients: sampled, seed: 3, referenceDate: '2026-02-27' });
});
afterAll(async () => {
  await server?.close();
  await listed?.close();
  await elsewhere?.close();
});
afterEach(() => {
  faults.length = 0;
  for (const { requests } of [listed, elsewhere]) (requests as unknown[]).splice(0);
});

function predict(changes: Partial<PredictionRequest>): Promise<PredictionOutcome> {
  return server.house.predict({
    requestId: 'origin-test',
    entrance: 'cds-hooks',
    model: 'prevent-base',
    subject: '1',
    asOf,
    seed: [],
    inputs: [],
    writeBack: false,
    ...changes,
  });
}

async function scored(changes: Partial<PredictionRequest>): Promise<Scored> {
  const outcome = await predict(changes);
  if (outcome.state !== 'scored')
    throw new Error(`the model abstained: ${JSON.stringify([...outcome.inputs.verdicts])}`);
  return outcome;
}

async function errorOf(changes: Partial<PredictionRequest>): Promise<PredictionError> {
  const error = await predict(changes).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PredictionError)) throw new Error(`expected a PredictionError, got ${String(error)}`);
  return error;
}

/** All that a model asks about a patient of the own store, as a caller would hand it over. */
async function answersAbout(subject: string, model = 'prevent-base'): Promise<Map<string, readonly Seed[]>> {
  const { source, findModel } = server.house.prediction;
  const answers = new Map<string, readonly Seed[]>();
  const patient = await source.readPatient(subject);
  answers.set('patient', seeds('patient', patient === undefined ? [] : [patient]));
  for (const query of findModel(model).queriesAt(asOf)) {
    const rows: Resource[] = [];
    for await (const page of source.search(query, subject)) rows.push(...page);
    for (const name of referredNames(rows, source)) {
      const medication = await source.read('Medication', name.split('/')[1] ?? '');
      if (medication !== undefined) rows.push(medication);
    }
    answers.set(query.key, seeds(query.key, rows));
  }
  return answers;
}

function seeds(key: string, resources: readonly Resource[]): Seed[] {
  return resources.map((resource, index) => ({ resource, expression: `prefetch.${key}.entry[${index}].resource` }));
}

function without(answers: HeldAnswers, ...keys: string[]): HeldAnswers {
  return new Map([...answers].filter(([key]) => !keys.includes(key)));
}

function changed<R extends Resource>(
  answers: HeldAnswers,
  key: string,
  change: (resource: R) => Resource,
): HeldAnswers {
  return new Map(
    [...answers].map(([name, held]) => [
      name,
      name === key ? held.map((seed) => ({ ...seed, resource: change(seed.resource as R) })) : held,
    ]),
  );
}

/** The very bits of every score; `-0` and `0` differ. */
function bitsOf(outcome: PredictionOutcome): unknown {
  if (outcome.state === 'abstained') return [...outcome.inputs.verdicts];
  return [...outcome.scores].map(([id, score]) => [id, Buffer.from(new Float64Array([score]).buffer).toString('hex')]);
}

const onServer = (answers: HeldAnswers, base = listed.base): Partial<PredictionRequest> => ({
  origin: { from: 'server', base, accessToken: token, answers },
});
const ofCaller = (answers?: HeldAnswers): Partial<PredictionRequest> => ({
  origin: { from: 'caller', ...(answers === undefined ? {} : { answers }) },
});

describe('a record from the server that the call names', () => {
  test('CDS-26: with every answer at hand nobody is asked, also where the server is not listed', async () => {
    const answers = await answersAbout('1');
    for (const base of [listed.base, elsewhere.base]) {
      const outcome = await scored(onServer(answers, base));
      expect(outcome.subjectBase).toBe(base);
      expect(asRiskAssessment(outcome.resource).subject.reference).toBe(`${base}/Patient/1`);
      for (const { reference } of asRiskAssessment(outcome.resource).basis ?? []) expect(reference).toMatch(`${base}/`);
      expect(asRiskAssessment(outcome.resource).basis?.map(({ reference }) => reference)).toContain(
        `${base}/Observation/sbp/_history/1`,
      );
      expect(bitsOf(outcome)).toEqual(bitsOf(await scored({})));
    }
    expect([...listed.requests, ...elsewhere.requests]).toEqual([]);
  });

  test('CDS-27: what is missing is asked of it alone, with the token of the call', async () => {
    const answers = without(await answersAbout('1'), 'observations', 'patient');
    const outcome = await scored(onServer(answers));
    expect(bitsOf(outcome)).toEqual(bitsOf(await scored({})));
    const asked = listed.requests.map(({ url }) => url.replace(/\?.*/, ''));
    expect([...new Set(asked)].sort()).toEqual(['/fhir/Observation', '/fhir/Patient/1']);
    for (const { headers } of listed.requests) expect(headers.authorization).toBe(`Bearer ${token}`);
    expect(elsewhere.requests).toEqual([]);
  });

  test('CDS-27: without a token none is sent', async () => {
    await scored({ origin: { from: 'server', base: listed.base, answers: new Map() } });
    expect(listed.requests.length).toBeGreaterThan(0);
    for (const { headers } of listed.requests) expect(headers.authorization).toBeUndefined();
  });

  test('CDS-26: a server that is not listed is never asked; the error says what is missing and the way out', async () => {
    const error = await errorOf(onServer(without(await answersAbout('1'), 'conditions'), elsewhere.base));
    expect(error.code).toBe('RECORD_UNREACHABLE');
    expect(error.message).toMatch(/conditions.*not listed in CDS_FHIR_SERVERS.*Send the missing data along/);
    expect(error.message).not.toContain('observations');
    expect(elsewhere.requests).toEqual([]);
  });

  test('CDS-26: the patient alone missing from an unlisted server is an error too', async () => {
    const error = await errorOf(onServer(without(await answersAbout('1'), 'patient'), elsewhere.base));
    expect(error).toMatchObject({ code: 'RECORD_UNREACHABLE', message: expect.stringMatching(/patient/) });
  });

  test('the own store by name is read without HTTP and is the same prediction as without an origin', async () => {
    const plain = await scored({});
    for (const base of [server.fhir, `${server.fhir}/`, server.fhir.replace('127.0.0.1', 'localhost')]) {
      for (const answers of [new Map(), without(await answersAbout('1'), 'encounters'), await answersAbout('1')]) {
        const outcome = await scored(onServer(answers, base));
        expect(outcome.identifier).toBe(plain.identifier);
        expect(asRiskAssessment(outcome.resource).subject.reference).toBe('Patient/1');
      }
    }
    expect([...listed.requests, ...elsewhere.requests]).toEqual([]);
  });

  test('an empty answer for the patient says that there is none: SUBJECT_UNKNOWN, and nobody is asked', async () => {
    const answers = new Map([...(await answersAbout('1')), ['patient', []] as const]);
    expect(await errorOf(onServer(answers))).toMatchObject({ code: 'SUBJECT_UNKNOWN' });
    expect(listed.requests).toEqual([]);
  });

  test('an empty answer to a query says that there is nothing; it is not asked again', async () => {
    const answers = new Map([...(await answersAbout('1')), ['observations', []] as const]);
    const outcome = await predict(onServer(answers));
    expect(outcome.inputs.features.get('systolicBloodPressure')).toMatchObject({ because: 'not-found' });
    expect(listed.requests).toEqual([]);
  });

  test('CDS-27: a resource of another patient among the answers is refused by its place', async () => {
    const answers = changed<Observation>(await answersAbout('1'), 'observations', (resource) => ({
      ...resource,
      subject: { reference: 'Patient/2' },
    }));
    const error = await errorOf(onServer(answers));
    expect(error).toMatchObject({ code: 'SUBJECT_FOREIGN' });
    expect(error.issues[0]?.expression).toBe('prefetch.observations.entry[0].resource');
  });

  test('a Patient of another id in place of the subject is refused', async () => {
    const answers = changed<Patient>(await answersAbout('1'), 'patient', (patient) => ({ ...patient, id: '2' }));
    expect(await errorOf(onServer(answers))).toMatchObject({ code: 'SUBJECT_FOREIGN' });
  });

  test('a resource that breaks base R4 is refused by its place, and not left out', async () => {
    const answers = changed<Observation>(
      await answersAbout('1'),
      'observations',
      (resource) => ({ ...resource, status: 'nonsense' }) as unknown as Observation,
    );
    const error = await errorOf(onServer(answers));
    expect(error.code).toBe('RESOURCE_INVALID');
    expect(error.issues[0]?.expression).toMatch(/^prefetch\.observations\.entry\[0\]\.resource/);
  });

  test('a resource without an id is none that a server holds', async () => {
    const answers = changed<Observation>(await answersAbout('1'), 'observations', ({ id: _id, ...rest }) => rest);
    const error = await errorOf(onServer(answers));
    expect(error).toMatchObject({ code: 'RESOURCE_INVALID', message: expect.stringMatching(/has no id/) });
  });

  test('an encounter that the answers hold is taken from them', async () => {
    const outcome = await scored({ ...onServer(await answersAbout('1'), elsewhere.base), encounter: 'visit' });
    expect(outcome.resource?.encounter?.reference).toBe(`${elsewhere.base}/Encounter/visit`);
  });

  test('CDS-26: an encounter that they do not hold is asked for, or cannot be had', async () => {
    const answers = new Map([...(await answersAbout('1')), ['encounters', []] as const]);
    const outcome = await predict({ ...onServer(answers), encounter: 'visit' });
    expect(outcome.subjectBase).toBe(listed.base);
    expect(listed.requests.map(({ url }) => url)).toEqual(['/fhir/Encounter/visit']);
    const error = await errorOf({ ...onServer(answers, elsewhere.base), encounter: 'visit' });
    expect(error).toMatchObject({ code: 'RECORD_UNREACHABLE', message: expect.stringMatching(/\(Encounter\)/) });
  });

  test.each([401, 403, 500])('CDS-26: a server that answers %s makes the record unreachable', async (status) => {
    faults.push({ kind: 'status', status });
    expect(await errorOf(onServer(new Map()))).toMatchObject({ code: 'RECORD_UNREACHABLE' });
  });

  test('CDS-27: neither a redirect nor a next link takes the token to another server', async () => {
    faults.push({ kind: 'status', status: 307, headers: { location: `${elsewhere.base}/Patient/1` } });
    expect(await errorOf(onServer(new Map()))).toMatchObject({ code: 'RECORD_UNREACHABLE' });
    faults.splice(0, 1, { kind: 'next-elsewhere', url: `${elsewhere.base}?page=x.1` });
    expect(await errorOf(onServer(new Map()))).toMatchObject({ code: 'RECORD_UNREACHABLE' });
    expect(elsewhere.requests).toEqual([]);
  });

  test('CDS-27: the token stands in no error and in no line of the log', async () => {
    faults.push({ kind: 'status', status: 401 });
    const error = await errorOf(onServer(new Map()));
    expect(JSON.stringify([error.message, error.issues, error.stack, String(error.cause)])).not.toContain(token);
    const bad = await errorOf({
      origin: { from: 'server', base: listed.base, accessToken: `${token}\n`, answers: new Map() },
    });
    expect(bad.code).toBe('RECORD_UNREACHABLE');
    expect(JSON.stringify([bad.message, bad.issues, bad.stack, String(bad.cause)])).not.toContain(token);
    expect(log.text()).not.toContain(token);
  });

  test('the same Patient/1 of two servers is two subjects', async () => {
    const answers = await answersAbout('1');
    const outcomes = [
      await scored(onServer(answers)),
      await scored(onServer(answers, elsewhere.base)),
      await scored({}),
    ];
    expect(new Set(outcomes.map(({ identifier }) => identifier)).size).toBe(3);
    expect(outcomes.map(({ subjectBase }) => subjectBase)).toEqual([
      listed.base,
      elsewhere.base,
      server.house.prediction.subjectBase,
    ]);
  });

  test('what rests on the word of a caller takes no part among the outcomes; what was asked of a server does', async () => {
    const kept = async (identifier: string) =>
      (
        await server.house.database.query<{ fhir_base: string }>(
          'select fhir_base from outcomes where identifier = $1',
          [identifier],
        )
      ).rows;
    const asOf = new Date('2026-02-27T00:00:00Z');
    const held = await scored({ ...onServer(await answersAbout('1')), asOf });
    expect(await kept(held.identifier)).toEqual([]);
    const asked = await scored({ ...onServer(new Map()), asOf });
    expect(await kept(asked.identifier)).toEqual([{ fhir_base: listed.base }]);
  });
});

describe('two different Medications of one id in a call', () => {
  test('are a contradiction, whichever comes first: their order must not decide', async () => {
    const medication = (code: string): Seed => ({
      resource: { resourceType: 'Medication', id: 'm', code: { text: code } },
      expression: `prefetch.medicationRequests.entry.${code}`,
    });
    const answers = await answersAbout('1');
    const withBoth = (...both: readonly Seed[]) =>
      new Map([...answers, ['medicationRequests', [...(answers.get('medicationRequests') ?? []), ...both]]]);
    for (const both of [
      [medication('one'), medication('other')],
      [medication('other'), medication('one')],
    ]) {
      expect((await errorOf(onServer(withBoth(...both)))).code).toBe('SEED_CONFLICT');
    }
  });
});

describe('the own store, named by a call', () => {
  test('decides about its own data: what the call says of them is not looked at', async () => {
    const { base } = server.house.source;
    const forged = new Map([...(await answersAbout('1'))].map(([key]) => [key, []] as const));
    expect(bitsOf(await scored(onServer(forged, base)))).toEqual(bitsOf(await scored({})));
  });

  test('may not be listed as another server under its own address, or patients of two servers would be one', () => {
    const { source, subjectBase } = server.house.prediction;
    const own = { source, subjectBase };
    const listedItself = () => refuseOwnBases({ own, listed: [`${source.base}/`] });
    expect(listedItself).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => refuseOwnBases({ own, listed: ['https://ehr.example.org/fhir'] })).not.toThrow();
  });
});

describe('a record that only the caller holds', () => {
  test('is predicted from alone, named as the caller’s, and supersedes nothing', async () => {
    const stored = await scored({});
    const outcome = await scored(ofCaller(await answersAbout('1')));
    expect(bitsOf(outcome)).toEqual(bitsOf(stored));
    expect(outcome.subjectBase).toBe('urn:fhirsight:caller');
    for (const { reference, display } of asRiskAssessment(outcome.resource).basis ?? []) {
      expect(reference).toBeUndefined();
      expect(display).toMatch(/ sent by the caller, not stored$/);
    }
    const { rows } = await server.house.database.query('select 1 from outcomes where identifier = $1', [
      outcome.identifier,
    ]);
    expect(rows).toEqual([]);
  });

  test('is the same without its resource, where the caller shows it in a form of its own', async () => {
    const whole = await scored(ofCaller(await answersAbout('1')));
    const bare = await scored({ ...ofCaller(await answersAbout('1')), build: false });
    expect(bare.resource).toBeUndefined();
    expect([whole.timings.buildMs, bare.timings.buildMs]).toEqual([expect.any(Number), undefined]);
    expect(bare.remarks).toEqual(asRiskAssessment(whole.resource).note?.map(({ text }) => text));
    expect([bare.identifier, bitsOf(bare)]).toEqual([whole.identifier, bitsOf(whole)]);
    expect((await scored({ writeBack: true, build: false })).resource?.id).toBeDefined();
  });

  test('says that nobody else was asked, and that what it does not hold was taken as not there', async () => {
    const notes = async (request: Partial<PredictionRequest>) =>
      (asRiskAssessment((await scored(request)).resource).note ?? []).map(({ text = '' }) => text);
    expect(await notes(ofCaller(await answersAbout('1')))).toContainEqual(expect.stringMatching(/opt-outs too/));
    expect(await notes({})).not.toContainEqual(expect.stringMatching(/opt-outs too/));
  });

  test('a query without an answer is an error that names its key', async () => {
    const error = await errorOf(ofCaller(without(await answersAbout('1'), 'consents', 'patient')));
    expect(error.code).toBe('RECORD_UNREACHABLE');
    expect(error.message).toMatch(/patient, consents missing/);
  });

  test('without answers the seeds are the whole record', async () => {
    const outcome = await scored({ ...ofCaller(), seed: seeds('all', anna) });
    expect(bitsOf(outcome)).toEqual(bitsOf(await scored({})));
  });

  test('answers may hold resources without an id', async () => {
    const answers = changed<Observation>(await answersAbout('1'), 'observations', ({ id: _id, ...rest }) => rest);
    expect(bitsOf(await scored(ofCaller(answers)))).toEqual(bitsOf(await scored({})));
  });

  test('is never written back', async () => {
    const error = await errorOf({ ...ofCaller(await answersAbout('1')), writeBack: true });
    expect(error).toMatchObject({
      code: 'WHAT_IF_NOT_WRITABLE',
      message: expect.stringMatching(/leave out writeBack/),
    });
  });
});

test('whoever holds the record, the same data give bit-identical scores', async () => {
  let compared = 0;
  for (let number = 1; number <= sampled; number++) {
    const subject = `sample-${String(number).padStart(4, '0')}`;
    for (const model of ['prevent-base', 'pce-2013']) {
      const plain = await predict({ subject, model });
      const answers = await answersAbout(subject, model);
      for (const origin of [onServer(answers, elsewhere.base), onServer(answers, server.fhir), ofCaller(answers)]) {
        const outcome = await predict({ subject, model, ...origin });
        expect(outcome.state).toBe(plain.state);
        expect(bitsOf(outcome)).toEqual(bitsOf(plain));
      }
      if (plain.state === 'scored') compared += 1;
    }
  }
  expect(compared).toBeGreaterThan(sampled / 2);
});

describe('contributions and time', () => {
  test('that are not asked for are left out, and the scores are the same bits', async () => {
    const plain = await scored({});
    const outcome = await scored({ explain: false });
    expect(outcome.explanation).toEqual({ none: 'not asked for' });
    expect(bitsOf(outcome)).toEqual(bitsOf(plain));
    expect(outcome.identifier).toBe(plain.identifier);
    expect(asRiskAssessment(outcome.resource).note?.map(({ text }) => text)).toContain(
      'No contributions of inputs: not asked for',
    );
  });

  test('CDS: with an answer that is due they are left out first, and the result says why', async () => {
    const plain = await scored({ answerBy: performance.now() + 60_000 });
    expect(plain.explanation).toHaveProperty('contributions');
    const outcome = await scored({ answerBy: performance.now() });
    expect(outcome.explanation).toEqual({ none: expect.stringMatching(/too late/) });
    expect(bitsOf(outcome)).toEqual(bitsOf(plain));
  });
});
