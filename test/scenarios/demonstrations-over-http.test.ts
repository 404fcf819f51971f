import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateSamplePatients } from '../../src/cli/sample-patients/generate-sample-patients.ts';
import { demonstrationAsOf, demonstrationRecord } from '../support/demonstration-record.ts';
import { demonstrations, testVectors } from '../support/demonstrations.ts';
import { send } from '../support/fhir-test-server.ts';
import { shippedModels } from '../support/model-folder.ts';
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

/** The patient of a row: the one that it was extracted from, or one that is made for it. */
const patientOf = (id: string, row: number): string => testVectors(id).subjects?.[row] ?? `${id}-${row}`;

function recordsFor(id: string): Resource[] {
  const records = path.join(shippedModels, id, '1.0.0/training/records.ndjson');
  if (existsSync(records)) {
    const lines = readFileSync(records, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Resource);
  }
  if (id === 'demo-lab-anomaly') return samplePatients(testVectors(id).subjects?.slice(0, wanted) ?? []);
  const { featureMap } = server.house.catalog.find(id);
  const { columns, rows } = testVectors(id);
  return rows.slice(0, wanted).flatMap((row, index) => {
    const values = new Map(columns.map((name, column) => [name, row[column] ?? Number.NaN]));
    return demonstrationRecord(patientOf(id, index), featureMap, values);
  });
}

/** As training/extract.sh of the model has them. */
function samplePatients(ids: readonly (string | null)[]): Resource[] {
  const all = generateSamplePatients({ patients: 400, seed: 7, referenceDate: new Date('2026-01-01T00:00:00Z') });
  const found: Resource[] = [];
  for (const record of all) {
    if (record.some(({ resourceType, id = null }) => resourceType === 'Patient' && ids.includes(id)))
      found.push(...record);
    if (found.filter(({ resourceType }) => resourceType === 'Patient').length === ids.length) break;
  }
  return found;
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
        said === undefined
          ? undefined
          : 'probability' in said
            ? said.probability
            : 'value' in said
              ? said.value
              : undefined;
      expect(Math.abs((score ?? Number.NaN) - (scores[row] ?? Number.NaN)), `row ${row}`).toBeLessThanOrEqual(1e-5);
      const marks = (answer.body as Resource).meta?.security?.map(({ code }) => code);
      expect(marks, `row ${row}`).toContain('HTEST');
    }
  });
});
