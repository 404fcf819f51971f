import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import { patientsOnSuite } from '../support/patients-on-suite.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { ended, membersOf } from '../support/test-runs.ts';

const patients = patientsOnSuite();
const asOf = new Date('2026-11-20T08:00:00Z');

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight();
  await loadSamplePatients(server.house, { patients, seed: 9, referenceDate: '2026-11-20' });
}, 300_000);
afterAll(() => server.close());

it(`gives ${patients} patients in a run the very same scores, bit for bit, and the same verdicts as one by one`, async () => {
  const { runs } = server.house;
  const { run } = await runs.create({ model: 'prevent-base', cohort: { all: true }, asOf, writeBack: false }, {});
  const { tally } = await ended(runs, run.id);
  expect(tally).toMatchObject({ pending: 0, failed: 0 });
  const members = await membersOf(runs, run.id);
  expect(members.size).toBe(patients);
  const different: string[] = [];
  for (const [subject, member] of members) {
    const outcome = await server.house.predict({
      requestId: subject,
      entrance: 'fhir-operation',
      model: 'prevent-base',
      subject,
      asOf,
      seed: [],
      inputs: [],
      writeBack: false,
      explain: false,
    });
    const score = outcome.state === 'scored' ? outcome.scores.get(member.outcome ?? '') : undefined;
    const same =
      outcome.state === member.state && outcome.identifier === member.result && Object.is(score, member.score);
    if (!same) different.push(subject);
  }
  expect(different).toEqual([]);
  expect(tally.scored).toBeGreaterThan(patients / 4);
}, 300_000);
