import type { RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import { toPercent } from '../../src/results/percent.ts';
import { callHook, patientView } from '../support/cds-call.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { patientsOnSuite } from '../support/patients-on-suite.ts';
import { predictOverHttp } from '../support/predict-call.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { ended } from '../support/test-runs.ts';

const patients = patientsOnSuite();
const outcome = 'total-cvd-10y';
const asOf = '2026-11-22T15:30:00Z';
let server: StartedFhirsight;
let ids: string[] = [];

beforeAll(async () => {
  server = await startFhirsight({
    clock: { now: () => new Date(asOf) },
    settings: { CDS_DEADLINE_MS: '60000' },
  });
  await loadSamplePatients(server.house, { patients, seed: 1, referenceDate: '2026-11-22' });
  const { rows } = await server.house.database.query<{ id: string }>(
    "select id from resources where type = 'Patient' and not deleted order by id",
  );
  ids = rows.map(({ id }) => id);
}, 300_000);
afterAll(() => server?.close());

/** Runs `work` on every patient, eight at a time. */
async function onEach<T>(work: (id: string) => Promise<T>): Promise<Map<string, T>> {
  const waiting = [...ids];
  const done = new Map<string, T>();
  const worker = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) done.set(id, await work(id));
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return done;
}

/** What `$predict` says about the outcome of the card, in percent; undefined where the model abstained. */
function predictedPercent({ status, body, text }: Answer): number | undefined {
  if (status === 422) return undefined;
  if (status !== 200) throw new Error(`$predict answered ${status}: ${text}`);
  return (body as RiskAssessment).prediction?.find(({ extension }) =>
    extension?.some(({ valueCode }) => valueCode === outcome),
  )?.probabilityDecimal;
}

interface ListedMember {
  readonly subject: string;
  readonly state: string;
  readonly outcome?: string;
  readonly score?: number;
  readonly result?: string;
}

/** Runs the model over everybody. @returns what the list of members says, by patient */
async function runOverAll(): Promise<Map<string, ListedMember>> {
  const body = { model: 'prevent-base', cohort: { all: true }, asOf, explain: false, writeBack: false };
  const asked = await send(`${server.url}/runs`, 'POST', body);
  expect(asked.status, asked.text).toBe(202);
  const { tally } = await ended(server.house.runs, asked.body.id);
  expect([tally.pending, tally.failedByCode]).toEqual([0, {}]);
  const listed = await fetch(`${server.url}/runs/${asked.body.id}/members?format=ndjson`);
  const members = (await listed.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ListedMember);
  return new Map(members.map((member) => [member.subject, member]));
}

describe('one path', () => {
  it(`$predict, hook and run give the same bits for the same patient and as-of over ${patients} sample patients`, async () => {
    const members = await runOverAll();
    expect([...members.keys()].sort()).toEqual(ids);
    const predicted = await onEach((id) => predictOverHttp(server.fhir, id, { model: 'prevent-base', asOf }));
    const hooked = await onEach((id) =>
      callHook(server.url, 'prevent-base', patientView({ patient: id, fhirServer: server.fhir })),
    );
    let scored = 0;
    for (const id of ids) {
      const answer = predicted.get(id);
      const hook = hooked.get(id);
      const member = members.get(id);
      if (answer === undefined || hook === undefined || member === undefined) throw new Error(`${id} was left out`);
      expect(hook.status, hook.text).toBe(200);
      const percent = predictedPercent(answer);
      const prediction = hook.body.cards[0]?.extension['org.fhirsight.prediction'];
      if (percent === undefined) {
        expect(prediction?.score).toBeUndefined();
        expect(member).toMatchObject({ state: 'abstained' });
        expect(member.score).toBeUndefined();
        continue;
      }
      scored += 1;
      // The percentage of R4 moves the decimal point of the shortest text of the same double, digit by digit.
      expect(toPercent(prediction.score)).toBe(percent);
      expect(prediction.result).toBe(answer.body.identifier[0].value);
      expect(member).toMatchObject({ state: 'scored', outcome, result: prediction.result });
      expect(Object.is(member.score, prediction.score)).toBe(true);
    }
    expect(ids).toHaveLength(patients);
    expect(scored).toBeGreaterThan(patients / 3);

    const { rows } = await server.house.database.query<{ result: string; scores: string | null; entrance: string }>(
      'select distinct result, scores::text as scores, entrance from prediction_log',
    );
    const byResult = [...Map.groupBy(rows, ({ result }) => result).values()];
    expect(byResult).toHaveLength(patients);
    expect(byResult.filter((all) => new Set(all.map(({ scores }) => scores)).size > 1)).toEqual([]);
    const entrances = new Set(
      byResult.map((all) =>
        all
          .map(({ entrance }) => entrance)
          .sort()
          .join(),
      ),
    );
    expect([...entrances]).toEqual(['cds-hooks,cohort,fhir-operation']);
    // The list of a run reads the same doubles that the log keeps.
    const { rows: unlike } = await server.house.database.query(
      `select m.subject_id from run_members m join prediction_log l on l.result = m.result
       where (l.scores::jsonb->>m.outcome)::float8 is distinct from m.score`,
    );
    expect(unlike).toEqual([]);
  }, 300_000);
});
