import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { imagingStudy } from '../support/build-imaging-study.ts';
import { send } from '../support/fhir-test-server.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';

const secret = 'a-secret-of-the-ehr-0123456789';
let folder: string;
let server: StartedFhirsight;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-notices-'));
  const file = path.join(folder, 'subscriptions.json');
  await writeFile(path.join(folder, 'secret'), secret);
  const chest = { name: 'chest', models: ['chest-phantom'], header: 'X-Secret', secretFile: 'secret' };
  await writeFile(file, JSON.stringify({ subscriptions: [{ ...chest, quietPeriodSeconds: 2 }] }));
  server = await startFhirsight({ models: ['chest-phantom'], settings: { SUBSCRIPTIONS_FILE: file } });
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

async function keep(resource: Resource): Promise<void> {
  const { status, text } = await send(`${server.fhir}/${resource.resourceType}/${resource.id}`, 'PUT', resource);
  expect(status, text).toBe(201);
}

it('SUB-3 SUB-4: five notices about a new study are one prediction about it, and one without the secret is none', async () => {
  await keep({ resourceType: 'Patient', id: '1', birthDate: '1960-01-01' });
  const study = imagingStudy({ started: new Date(Date.now() - 3_600_000).toISOString() });
  const { endpoint: _, ...withoutEndpoint } = study;
  await keep(withoutEndpoint);
  const place = `${server.url}/subscriptions/imaging-study/chest`;
  expect((await send(`${place}/ImagingStudy/s1`, 'PUT', study)).status).toBe(401);
  for (let time = 0; time < 5; time++)
    expect((await send(`${place}/ImagingStudy/s1`, 'PUT', study, { 'X-Secret': secret })).status).toBe(200);
  const made = async (): Promise<unknown[]> =>
    (
      await server.house.database.query(
        "select subject_id, focus, model_id, state from prediction_log where entrance = 'subscription'",
      )
    ).rows;
  const expected = { subject_id: '1', focus: 'ImagingStudy/s1', model_id: 'chest-phantom', state: 'abstained' };
  await expect.poll(made, { timeout: 30_000 }).toEqual([expected]);
  // Told of once more, and not changed: nothing more is said of it.
  const waits = async (): Promise<unknown[]> =>
    (await server.house.database.query('select due_at, seen from study_notices')).rows;
  await expect.poll(waits, { timeout: 30_000 }).toEqual([{ due_at: null, seen: '1' }]);
  expect((await send(place, 'POST', study, { 'X-Secret': secret })).status).toBe(200);
  await expect.poll(waits, { timeout: 30_000 }).toEqual([{ due_at: null, seen: '1' }]);
  expect(await made()).toEqual([expected]);
});
