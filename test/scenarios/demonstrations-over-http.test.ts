import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { demonstrationAsOf, demonstrationRecord } from '../support/demonstration-record.ts';
import { demonstrations, testVectors } from '../support/demonstrations.ts';
import { send } from '../support/fhir-test-server.ts';
import { predictOverHttp, readOutcomes } from '../support/predict-call.ts';
import { readScores } from '../support/read-scores.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

/** Rows of the stored vectors that go the whole way, from FHIR resources to the result. */
const wanted = 3;

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ models: demonstrations });
  for (const id of demonstrations) {
    const stored = await send(server.fhir, 'POST', transactionOf(recordsFor(id), { fullUrls: false }));
    expect(stored.status, stored.text).toBe(200);
  }
});
afterAll(() => server?.close());

const patientOf = (id: string, row: number) => `${id}-${row}`;

function recordsFor(id: string): Resource[] {
  const { featureMap } = server.house.catalog.find(id);
  const { columns, rows } = testVectors(id);
  return rows.slice(0, wanted).flatMap((row, index) => {
    const values = new Map(columns.map((name, column) => [name, row[column] ?? Number.NaN]));
    return demonstrationRecord(patientOf(id, index), featureMap, values);
  });
}

describe('a demonstration model answers $predict from FHIR resources as the library that trained it', () => {
  test.each(demonstrations)('%s, within 0.00001', async (id) => {
    const { outcome, scores } = testVectors(id);
    for (let row = 0; row < wanted; row++) {
      const answer = await predictOverHttp(server.fhir, patientOf(id, row), { model: id, asOf: demonstrationAsOf });
      expect(answer.status, answer.text).toBe(200);
      const isRisk = (answer.body as Resource).resourceType === 'RiskAssessment';
      const said = (isRisk ? readOutcomes(answer) : readScores(answer)).get(outcome);
      const score =
        said !== undefined && 'probability' in said
          ? said.probability
          : said && 'value' in said
            ? said.value
            : Number.NaN;
      expect(Math.abs(score - (scores[row] ?? Number.NaN)), `row ${row}`).toBeLessThanOrEqual(1e-5);
    }
  });
});
