import type { RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { type PersonalValues, patientOne } from '../support/patient-one.ts';
import { predictOverHttp, readOutcomes } from '../support/predict-call.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';
import { createTestDataDir, type TestDataDir } from '../support/test-data-dir.ts';
import { ended } from '../support/test-runs.ts';

const asOf = '2026-03-01T08:00:00Z';
const anna: PersonalValues = {
  gender: 'female',
  birthDate: '1970-05-17',
  systolic: 151,
  totalCholesterol: 233,
  hdlCholesterol: 41,
  bodyMassIndex: 31.5,
  creatinine: 0.93,
};
const bert: PersonalValues = {
  gender: 'male',
  birthDate: '1958-11-02',
  systolic: 117,
  totalCholesterol: 176,
  hdlCholesterol: 59,
  bodyMassIndex: 24.5,
  creatinine: 1.27,
};
const group = {
  resourceType: 'Group' as const,
  id: 'ward',
  type: 'person' as const,
  actual: true,
  member: [{ entity: { reference: 'Patient/1' } }],
};

let north: StubFhirServer;
let south: StubFhirServer;
let data: TestDataDir;
beforeAll(async () => {
  north = await startStubFhirServer({ resources: [...patientOne(anna), group] });
  south = await startStubFhirServer({ resources: [...patientOne(bert), group] });
  data = await createTestDataDir();
});
afterAll(async () => {
  await north.close();
  await south.close();
  await data.remove();
});

async function using<T>(base: string, work: (server: StartedFhirsight) => Promise<T>): Promise<T> {
  const server = await startFhirsight({ data, settings: { FHIR_BASE_URL: base } });
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

const post = (server: StartedFhirsight, cohort: object): Promise<Answer> =>
  send(`${server.url}/runs`, 'POST', { model: 'prevent-base', cohort, asOf });

/** The member that a run over this cohort has, and what $predict says of the same patient. */
async function scoreOf(server: StartedFhirsight, cohort: object): Promise<{ score: number; resource: RiskAssessment }> {
  const { body } = await post(server, cohort);
  const report = await ended(server.house.runs, body.id);
  expect(report.tally).toMatchObject({ scored: 1, written: 1 });
  const [member] = (await send(`${server.url}/runs/${body.id}/members`)).body.members;
  const predicted = readOutcomes(await predictOverHttp(server.fhir, '1', { model: 'prevent-base', asOf }));
  const same = predicted.get(member.outcome);
  if (same === undefined || !('probability' in same)) throw new Error('$predict gave no score');
  expect(same.probability).toBeCloseTo(member.score, 12);
  return { score: member.score, resource: (await send(`${server.fhir}/${member.resource}`)).body };
}

describe('runs on two FHIR servers that both hold Patient/1, over one database', { timeout: 180_000 }, () => {
  it('never cross: each member is the patient of the server it was read from', async () => {
    for (const cohort of [{ all: true }, { group: 'Group/ward' }]) {
      const one = await using(north.base, (server) => scoreOf(server, cohort));
      const other = await using(south.base, (server) => scoreOf(server, cohort));
      expect(one.score).not.toBe(other.score);
      expect(one.resource.subject.reference).toBe(`${north.base}/Patient/1`);
      expect(other.resource.subject.reference).toBe(`${south.base}/Patient/1`);
    }
  });

  it('ask the other server for strict handling of a search, so that no parameter is ignored', async () => {
    await using(north.base, async (server) => {
      const { body } = await post(server, { search: 'Patient?gender=female' });
      await ended(server.house.runs, body.id);
    });
    const search = north.requests.find(({ url }) => url.includes('Patient?gender=female'));
    expect(search?.headers.prefer).toBe('handling=strict');
  });

  it('are worked on only at the server they are about: elsewhere they wait, and refuse to be resumed', async () => {
    const waiting = await using(north.base, async (server) => {
      await server.house.runs.close();
      return await server.house.database.query(
        `insert into runs (id, tenant, fhir_base, model_id, model_version, model_digest, cohort, as_of, write_back, explain,
           chunk_size, state, request_hash, created_at)
         select gen_random_uuid(), tenant, fhir_base, model_id, model_version, model_digest, '{"all":true}', as_of, true,
           true, 10, 'expanding', '', now() from runs where fhir_base = $1 limit 1 returning id`,
        [north.base],
      );
    });
    const id = String(waiting.rows[0]?.id);
    await using(south.base, async (server) => {
      const { body } = await post(server, { all: true });
      await ended(server.house.runs, body.id);
      for (const action of ['resume', 'cancel']) {
        const refused = await send(`${server.url}/runs/${id}/${action}`, 'POST');
        expect([refused.status, refused.text]).toEqual([409, expect.stringContaining(north.base)]);
      }
      expect((await send(`${server.url}/runs/${id}`)).body.state).toBe('expanding');
    });
    await using(north.base, async (server) => {
      expect((await ended(server.house.runs, id)).tally).toMatchObject({ scored: 1, failed: 0 });
    });
  });
});
