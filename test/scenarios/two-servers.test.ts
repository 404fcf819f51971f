import type { RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { observation } from '../support/build-record.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { type PersonalValues, patientOne } from '../support/patient-one.ts';
import { type PredictCall, predictOverHttp, readInputs, readOutcomes } from '../support/predict-call.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';
import { createTestDataDir, type TestDataDir } from '../support/test-data-dir.ts';
import { transactionOf } from '../support/transaction-of.ts';

/** Three people who are all Patient/1 where they live, with the same ids throughout. No value of one is a value of another. */
const anna: PersonalValues = {
  gender: 'female',
  birthDate: '1970-06-15',
  systolic: 131.07,
  totalCholesterol: 201.07,
  hdlCholesterol: 51.07,
  bodyMassIndex: 24.07,
  creatinine: 0.711,
};
const bert: PersonalValues = {
  gender: 'male',
  birthDate: '1961-03-04',
  systolic: 152.09,
  totalCholesterol: 243.09,
  hdlCholesterol: 39.09,
  bodyMassIndex: 31.09,
  creatinine: 1.109,
};
const carl: PersonalValues = {
  gender: 'male',
  birthDate: '1979-11-30',
  systolic: 117.03,
  totalCholesterol: 177.03,
  hdlCholesterol: 63.03,
  bodyMassIndex: 22.03,
  creatinine: 0.903,
};

const clock = { now: () => new Date('2026-03-01T12:00:00Z') };
const call: PredictCall = { model: 'prevent-base', asOf: '2026-03-01T11:00:00Z' };
const writtenBack = { ...call, writeBack: true };
const supersededTag = 'superseded';

/** Everything in an answer that may only come from one server. */
function expectOnlyFrom(
  base: string,
  own: PersonalValues,
  others: readonly PersonalValues[],
  otherBases: readonly string[],
  answer: Answer,
): void {
  expect(answer.status, answer.text).toBe(200);
  const result = answer.body as RiskAssessment;
  expect(result.subject.reference).toBe(`${base}/Patient/1`);
  expect(result.basis?.length).toBeGreaterThan(5);
  for (const { reference } of result.basis ?? []) expect(reference).toMatch(prefixed(base));
  for (const { sources } of readInputs(answer).values())
    for (const { reference } of sources) expect(reference).toMatch(prefixed(base));
  expect(valuesIn(answer)).toEqual(valuesOf(own));
  for (const otherBase of otherBases) expect(answer.text).not.toContain(otherBase);
  for (const other of others) for (const value of marks(other)) expect(answer.text).not.toContain(value);
}

function prefixed(base: string): RegExp {
  return new RegExp(`^${base.replaceAll('.', '\\.')}/[A-Z]`);
}

/** Numbers no other person has, as they stand in JSON and in texts. */
function marks({ systolic, totalCholesterol, hdlCholesterol, bodyMassIndex, creatinine }: PersonalValues): string[] {
  return [systolic, totalCholesterol, hdlCholesterol, bodyMassIndex, creatinine].map(String);
}

function valuesIn(answer: Answer): unknown[] {
  const inputs = readInputs(answer);
  return ['sex', 'systolicBloodPressure', 'totalCholesterol', 'hdlCholesterol', 'bodyMassIndex', 'creatinine'].map(
    (name) => inputs.get(name)?.value,
  );
}

function valuesOf({
  gender,
  systolic,
  totalCholesterol,
  hdlCholesterol,
  bodyMassIndex,
  creatinine,
}: PersonalValues): unknown[] {
  return [gender, systolic, totalCholesterol, hdlCholesterol, bodyMassIndex, creatinine];
}

function identifierOf(answer: Answer): string {
  const value = (answer.body as RiskAssessment).identifier?.[0]?.value;
  if (value === undefined) throw new Error('a result without an identifier');
  return value;
}

/** The stored result as it is now, and whether it is tagged as superseded. */
async function isSuperseded(server: StartedFhirsight, id: string | undefined): Promise<boolean> {
  const { status, body } = await send(`${server.fhir}/RiskAssessment/${id}`);
  if (status !== 200) throw new Error(`RiskAssessment/${id} was answered with ${status}`);
  return ((body as RiskAssessment).meta?.tag ?? []).some(({ code }) => code === supersededTag);
}

async function storedIds(server: StartedFhirsight, patient: string): Promise<(string | undefined)[]> {
  const { status, body } = await send(`${server.fhir}/RiskAssessment?patient=${encodeURIComponent(patient)}`);
  expect(status).toBe(200);
  return (body.entry ?? []).map(({ resource }: { resource: RiskAssessment }) => resource.id);
}

describe('two FHIR servers that both hold Patient/1', () => {
  let north: StubFhirServer;
  let south: StubFhirServer;
  beforeAll(async () => {
    north = await startStubFhirServer({ resources: patientOne(anna) });
    south = await startStubFhirServer({ resources: patientOne(bert) });
  });
  afterAll(async () => {
    await north?.close();
    await south?.close();
  });

  const against = (base: string, data?: TestDataDir) =>
    startFhirsight({ clock, settings: { FHIR_BASE_URL: base }, ...(data === undefined ? {} : { data }) });

  it('one database, first with the one server, then with the other, then with the first again: nothing crosses, nothing is superseded', async () => {
    const data = await createTestDataDir();
    const using = async <T>(base: string, work: (server: StartedFhirsight) => Promise<T>): Promise<T> => {
      const server = await against(base, data);
      try {
        return await work(server);
      } finally {
        await server.close();
      }
    };
    try {
      const first = await using(north.base, (server) => predictOverHttp(server.fhir, '1', writtenBack));
      expectOnlyFrom(north.base, anna, [bert], [south.base], first);

      await using(south.base, async (server) => {
        const second = await predictOverHttp(server.fhir, '1', writtenBack);
        expectOnlyFrom(south.base, bert, [anna], [north.base], second);
        expect(identifierOf(second)).not.toBe(identifierOf(first));
        expect(second.body.id).not.toBe(first.body.id);
        expect(await storedIds(server, `${south.base}/Patient/1`)).toEqual([second.body.id]);
        expect(await storedIds(server, 'Patient/1')).toEqual([]);

        const later = await predictOverHttp(server.fhir, '1', { ...writtenBack, asOf: '2026-03-01T11:30:00Z' });
        expectOnlyFrom(south.base, bert, [anna], [north.base], later);
        expect(await isSuperseded(server, second.body.id)).toBe(true);
        expect(await isSuperseded(server, later.body.id)).toBe(false);
        expect(await isSuperseded(server, first.body.id)).toBe(false);
      });

      await using(north.base, async (server) => {
        const again = await predictOverHttp(server.fhir, '1', writtenBack);
        expectOnlyFrom(north.base, anna, [bert], [south.base], again);
        expect(identifierOf(again)).toBe(identifierOf(first));
        expect(again.body.id).toBe(first.body.id);
        expect(await storedIds(server, `${north.base}/Patient/1`)).toEqual([first.body.id]);
        const { rows } = await server.house.database.query<{ fhir_base: string; n: string }>(
          'select fhir_base, count(*)::text as n from outcomes where superseded_by is null group by fhir_base',
        );
        expect(new Map(rows.map(({ fhir_base, n }) => [fhir_base, n]))).toEqual(
          new Map([
            [north.base, '1'],
            [south.base, '1'],
          ]),
        );
      });
    } finally {
      await data.remove();
    }
  });

  it('an own store that holds Patient/1 too, before and beside FHIR_BASE_URL: its data and its results stay its own', async () => {
    const data = await createTestDataDir();
    try {
      const own = await startFhirsight({ clock, data });
      let first: Answer;
      try {
        const stored = await send(own.fhir, 'POST', transactionOf(patientOne(carl), { fullUrls: false }));
        expect(stored.status).toBe(200);
        first = await predictOverHttp(own.fhir, '1', writtenBack);
        expect(first.body.subject.reference).toBe('Patient/1');
        expect(valuesIn(first)).toEqual(valuesOf(carl));
      } finally {
        await own.close();
      }

      const remote = await against(north.base, data);
      try {
        const second = await predictOverHttp(remote.fhir, '1', writtenBack);
        expectOnlyFrom(north.base, anna, [carl, bert], [own.fhir, south.base], second);
        expect(identifierOf(second)).not.toBe(identifierOf(first));
        expect(await isSuperseded(remote, first.body.id)).toBe(false);
        expect(await storedIds(remote, 'Patient/1')).toEqual([first.body.id]);
        expect(await storedIds(remote, `${north.base}/Patient/1`)).toEqual([second.body.id]);
        expect((await send(`${remote.fhir}/Patient/1`)).body.birthDate).toBe(carl.birthDate);
      } finally {
        await remote.close();
      }
    } finally {
      await data.remove();
    }
  });

  describe('both served at the same time in one process', () => {
    let overNorth: StartedFhirsight;
    let overSouth: StartedFhirsight;
    beforeAll(async () => {
      overNorth = await against(north.base);
      overSouth = await against(south.base);
    });
    afterAll(async () => {
      await overNorth?.close();
      await overSouth?.close();
    });

    it('200 interleaved requests: every answer is of its own server alone', async () => {
      const random = seededRandom(7);
      const wanted = {
        north: await predictOverHttp(overNorth.fhir, '1', call),
        south: await predictOverHttp(overSouth.fhir, '1', call),
      };
      expect(readOutcomes(wanted.north)).not.toEqual(readOutcomes(wanted.south));
      const asked = Array.from({ length: 200 }, () => (random() < 0.5 ? 'north' : 'south') as 'north' | 'south');
      expect(new Set(asked).size).toBe(2);
      // So many at once that they interleave, and no more than a busy machine answers in time.
      const answers: { which: 'north' | 'south'; answer: Answer }[] = [];
      for (let from = 0; from < asked.length; from += 20) {
        const together = asked.slice(from, from + 20).map(async (which, index) => {
          const { fhir } = which === 'north' ? overNorth : overSouth;
          return { which, answer: await predictOverHttp(fhir, '1', index % 10 === 0 ? writtenBack : call) };
        });
        answers.push(...(await Promise.all(together)));
      }
      for (const { which, answer } of answers) {
        if (which === 'north') expectOnlyFrom(north.base, anna, [bert], [south.base], answer);
        else expectOnlyFrom(south.base, bert, [anna], [north.base], answer);
        expect(identifierOf(answer)).toBe(identifierOf(wanted[which]));
        expect(readOutcomes(answer)).toEqual(readOutcomes(wanted[which]));
      }
      expect(answers.length).toBe(200);
    });

    it('the same asserted values about the one Patient/1 and about the other are two results, not a repeat', async () => {
      const inputs = {
        age: 55,
        sex: 'female',
        totalCholesterol: 210,
        hdlCholesterol: 50,
        systolicBloodPressure: 130,
        bodyMassIndex: 27,
        creatinine: 0.8,
        diabetes: false,
        currentSmoker: false,
        antihypertensiveMedication: false,
        statinMedication: false,
        priorCardiovascularDisease: false,
      };
      const one = await predictOverHttp(overNorth.fhir, '1', { ...call, inputs });
      const other = await predictOverHttp(overSouth.fhir, '1', { ...call, inputs });
      expect(readOutcomes(one)).toEqual(readOutcomes(other));
      expect(identifierOf(one)).not.toBe(identifierOf(other));
      expect(identifierOf(await predictOverHttp(overNorth.fhir, '1', { ...call, inputs }))).toBe(identifierOf(one));
    });

    const seed = (subject: string) =>
      observation(
        '8480-6',
        { value: 123.05, unit: 'mm[Hg]', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
        '2026-02-20T09:00:00Z',
        { id: 'seed', subject: { reference: subject } },
      );

    it("a resource the caller holds that names the other server's Patient/1 is refused, and its number is not repeated", async () => {
      const own = await predictOverHttp(overNorth.fhir, '1', { ...call, resources: [seed(`${north.base}/Patient/1`)] });
      expect(readInputs(own).get('systolicBloodPressure')?.value).toBe(123.05);
      const foreign = await predictOverHttp(overNorth.fhir, '1', {
        ...call,
        resources: [seed(`${south.base}/Patient/1`)],
      });
      expect(foreign.status).toBe(422);
      expect(foreign.body.issue[0]).toMatchObject({
        severity: 'error',
        code: 'business-rule',
        expression: ['Parameters.parameter[2].resource'],
      });
      expect(foreign.text).not.toContain('123.05');
    });

    it("the other server's patient and encounter, named absolutely, are no patient and no encounter of this one", async () => {
      const encounter = await predictOverHttp(overNorth.fhir, '1', {
        ...call,
        encounter: `${south.base}/Encounter/visit`,
      });
      expect(encounter.status).toBe(400);
      const atType = (reference: string) =>
        send(`${overNorth.fhir}/Patient/$predict`, 'POST', {
          resourceType: 'Parameters',
          parameter: [
            { name: 'model', valueString: call.model },
            { name: 'asOf', valueDateTime: call.asOf },
            { name: 'subject', valueString: reference },
          ],
        });
      expectOnlyFrom(north.base, anna, [bert], [south.base], await atType(`${north.base}/Patient/1`));
      expect((await atType(`${south.base}/Patient/1`)).status).toBe(400);
    });
  });
});
