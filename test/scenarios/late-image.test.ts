import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bundle, DiagnosticReport, ImagingStudy, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { imagingSeries, imagingStudy } from '../support/build-imaging-study.ts';
import { evenPicture } from '../support/even-picture.ts';
import { type FakePacs, type KeptObject, startFakePacs } from '../support/fake-pacs.ts';
import { send } from '../support/fhir-test-server.ts';
import { writeImagingFile } from '../support/imaging-file.ts';
import { copyModel, type ModelFolder } from '../support/model-folder.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';

const secret = 'a-secret-of-the-ehr-0123456789';
const identifiers = 'https://example.org/patients';
const started = new Date(Date.now() - 3_600_000).toISOString();

let pacs: FakePacs;
let models: ModelFolder;
let folder: string;
let server: StartedFhirsight;

beforeAll(async () => {
  pacs = await startFakePacs();
  models = await copyModel('chest-phantom');
  await models.edit('feature-map.json', (json) => {
    json.features.radiograph.take = 'newest-image';
  });
  await models.seal();
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-late-'));
  await writeFile(path.join(folder, 'secret'), secret);
  const drawn = { name: 'drawn', models: ['chest-phantom'], header: 'X-Secret', secretFile: 'secret' };
  const subscriptions = [{ ...drawn, quietPeriodSeconds: 1 }];
  await writeFile(path.join(folder, 'subscriptions.json'), JSON.stringify({ subscriptions }));
  const imagingFile = await writeImagingFile(folder, pacs.base, identifiers);
  server = await startFhirsight({
    settings: {
      MODELS_DIR: models.modelsDir,
      IMAGING_FILE: imagingFile,
      SUBSCRIPTIONS_FILE: path.join(folder, 'subscriptions.json'),
    },
  });
});

afterAll(async () => {
  await server?.close();
  await pacs.close();
  await models[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** An even picture, acquired at a minute of that morning. */
const picture = (number: number, gray: number): KeptObject =>
  evenPicture(gray, { study: '1.2.3.4', number }, { AcquisitionDate: '20260102', AcquisitionTime: `07300${number}` });

async function keep(resource: Resource): Promise<void> {
  const { status, text } = await send(`${server.fhir}/${resource.resourceType}/${resource.id}`, 'PUT', resource);
  expect([200, 201], text).toContain(status);
}

/** Stores a study of so many images, and tells of it so often as a FHIR server does. */
async function tellOf(images: number, times: number): Promise<void> {
  const { endpoint: _, ...rest } = imagingStudy({ started, numberOfInstances: images });
  const study: ImagingStudy = { ...rest, series: [imagingSeries({ numberOfInstances: images })] };
  await keep(study);
  const place = `${server.url}/subscriptions/imaging-study/drawn/ImagingStudy/s1`;
  for (let time = 0; time < times; time++)
    expect((await send(place, 'PUT', study, { 'X-Secret': secret })).status).toBe(200);
}

async function reports(): Promise<DiagnosticReport[]> {
  const answer = await fetch(`${server.fhir}/DiagnosticReport?subject=Patient/1`);
  return (((await answer.json()) as Bundle<DiagnosticReport>).entry ?? []).flatMap(({ resource }) => resource ?? []);
}

const seen = async (): Promise<unknown> =>
  (await server.house.database.query('select due_at, seen from study_notices')).rows[0];

it('SUB-3 RA-7: a study told of five times has one report, and an image that comes late amends it', async () => {
  await keep({ resourceType: 'Patient', id: '1', identifier: [{ system: identifiers, value: '4711' }] });
  pacs.objects.push(picture(1, 300));
  await tellOf(1, 5);
  await expect.poll(seen, { timeout: 60_000 }).toEqual({ due_at: null, seen: '1' });
  const [first, ...others] = await reports();
  expect(others).toEqual([]);
  expect(first).toMatchObject({ status: 'preliminary', meta: { versionId: '1' } });

  pacs.objects.push(picture(2, 3000));
  await tellOf(2, 5);
  await expect.poll(seen, { timeout: 60_000 }).toEqual({ due_at: null, seen: '2' });
  const [amended, ...more] = await reports();
  expect(more).toEqual([]);
  expect(amended).toMatchObject({ id: first?.id, status: 'amended', meta: { versionId: '2' } });
}, 150_000);
