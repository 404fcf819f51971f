import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cardModel } from '../support/card-model.ts';
import { callHook, patientView } from '../support/cds-call.ts';
import { cdsResponseFindings } from '../support/cds-response-checker.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { runFhirsight } from '../support/fhirsight-process.ts';
import type { ModelFolder } from '../support/model-folder.ts';
import { patientOne } from '../support/patient-one.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { createTestDataDir, type TestDataDir } from '../support/test-data-dir.ts';
import { transactionOf } from '../support/transaction-of.ts';

let now = new Date('2026-03-01T12:00:00Z');
let folder: ModelFolder;
let data: TestDataDir;
let server: StartedFhirsight;

beforeAll(async () => {
  folder = await cardModel(({ cards }) => {
    for (const level of cards.scored) level.show = level.show === 'critical' ? 'warning' : level.show;
  });
  data = await createTestDataDir();
  server = await startFhirsight({
    data,
    clock: { now: () => now },
    settings: { MODELS_DIR: folder.modelsDir, CDS_DEADLINE_MS: '30000' },
  });
  const record = patientOne({
    gender: 'male',
    birthDate: '1956-03-04',
    systolic: 158.5,
    totalCholesterol: 243.5,
    hdlCholesterol: 39.5,
    bodyMassIndex: 31.5,
    creatinine: 1.1,
  }).map((resource) => (resource.resourceType === 'Patient' ? { ...resource, extension: [white] } : resource));
  expect((await send(server.fhir, 'POST', transactionOf(record, { fullUrls: false }))).status).toBe(200);
});
afterAll(async () => {
  await server.close();
  await data.remove();
  await folder[Symbol.asyncDispose]();
});

const white = {
  url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race',
  extension: [
    {
      url: 'ombCategory',
      valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code: '2106-3', display: 'White' },
    },
    { url: 'text', valueString: 'White' },
  ],
};

async function call(user: string): Promise<Answer> {
  const answer = await callHook(
    server.url,
    'pce-2013',
    patientView({ patient: '1', fhirServer: server.fhir, encounter: 'visit', user }),
  );
  expect([answer.status, cdsResponseFindings(answer.body)]).toEqual([200, []]);
  return answer;
}

describe('a model with everything that cards can hold', () => {
  it('CDS-30 to CDS-42 suggests once, is held back from the same reader for its time, and counted', async () => {
    const first = await call('Practitioner/7');
    const [card] = first.body.cards;
    expect(card.suggestions.map(({ label }: { label: string }) => label)).toContain('Order a lipid panel');
    expect(first.body).not.toHaveProperty('systemActions');
    now = new Date('2026-03-01T13:00:00Z');
    expect((await call('Practitioner/7')).body.cards).toEqual([]);
    expect((await call('Practitioner/8')).body.cards).toHaveLength(1);
    now = new Date('2026-03-01T20:30:00Z');
    expect((await call('Practitioner/7')).body.cards).toHaveLength(1);

    const feedback = {
      card: card.uuid,
      outcome: 'accepted',
      acceptedSuggestions: [{ id: card.suggestions[0].uuid }],
      outcomeTimestamp: '2026-03-01T12:05:00Z',
    };
    expect((await callHook(server.url, 'pce-2013/feedback', { feedback: [feedback] })).status).toBe(200);
    const rates = await send(`${server.url}/cds-feedback/rates?from=2026-03-01&to=2026-03-02`);
    expect(rates.body.services).toMatchObject([
      { service: 'pce-2013', version: '1.0.0', answered: 1, acceptanceRate: 1, heldBack: 1 },
    ]);
  });

  it('DSI-42 tells the command line which suggestion was taken, into a file that is not there yet', async () => {
    const out = path.join(folder.modelsDir, 'feedback.csv');
    const args = ['feedback', '--from', '2026-03-01', '--to', '2026-03-02'];
    const env = { DATA_DIR: data.settings.DATA_DIR ?? '' };
    expect(await runFhirsight([...args, '--out', out], env)).toMatchObject({ code: 0, stderr: '' });
    const printed = await runFhirsight(args, env);
    expect(printed.stdout).toContain('pce-2013 1.0.0 (service pce-2013),accepted: Order a lipid panel,');
    await writeFile(out, '');
    const again = await runFhirsight([...args, '--out', out], env);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('name a file that is not there yet')]);
    expect((await runFhirsight(['feedback', '--from', '2026-03-01'], env)).code).toBe(2);
  });
});
