import type { RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import { toPercent } from '../../src/results/percent.ts';
import { callHook, patientView } from '../support/cds-call.ts';
import type { Answer } from '../support/fhir-test-server.ts';
import { predictOverHttp } from '../support/predict-call.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';

const patients = 1000;
const outcome = 'total-cvd-10y';
let server: StartedFhirsight;
let ids: string[] = [];

beforeAll(async () => {
  server = await startFhirsight({
    clock: { now: () => new Date('2026-11-22T15:30:00Z') },
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

describe('one path', () => {
  it('$predict and hook give the same bits for the same patient and as-of over 1,000 sample patients', async () => {
    const predicted = await onEach((id) => predictOverHttp(server.fhir, id, { model: 'prevent-base' }));
    const hooked = await onEach((id) =>
      callHook(server.url, 'prevent-base', patientView({ patient: id, fhirServer: server.fhir })),
    );
    let scored = 0;
    for (const id of ids) {
      const answer = predicted.get(id);
      const hook = hooked.get(id);
      if (answer === undefined || hook === undefined) throw new Error(`${id} was not asked about`);
      expect(hook.status, hook.text).toBe(200);
      const percent = predictedPercent(answer);
      const prediction = hook.body.cards[0]?.extension['org.fhirsight.prediction'];
      if (percent === undefined) {
        expect(prediction?.score).toBeUndefined();
        continue;
      }
      scored += 1;
      // The percentage of R4 moves the decimal point of the shortest text of the same double, digit by digit.
      expect(toPercent(prediction.score)).toBe(percent);
      expect(prediction.result).toBe(answer.body.identifier[0].value);
    }
    expect(ids).toHaveLength(patients);
    expect(scored).toBeGreaterThan(patients / 3);

    const { rows } = await server.house.database.query<{ result: string; scores: string; entrance: string }>(
      "select distinct result, scores::text as scores, entrance from prediction_log where state = 'scored'",
    );
    const byResult = Map.groupBy(rows, ({ result }) => result);
    expect([...byResult.values()].filter((both) => new Set(both.map(({ scores }) => scores)).size > 1)).toEqual([]);
    expect([...byResult.values()].filter((both) => both.length !== 2)).toEqual([]);
  }, 300_000);
});
