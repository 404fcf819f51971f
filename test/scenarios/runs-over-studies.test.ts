import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bundle, DiagnosticReport, ImagingStudy, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imagingSeries, imagingStudy } from '../support/build-imaging-study.ts';
import { evenPicture } from '../support/even-picture.ts';
import { type FakePacs, type KeptObject, startFakePacs } from '../support/fake-pacs.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { writeImagingFile } from '../support/imaging-file.ts';
import { someModels } from '../support/some-models.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { ended } from '../support/test-runs.ts';

const identifiers = 'https://example.org/patients';
const hourMs = 3_600_000;
const startOf = (number: number): string => new Date(Date.now() - number * hourMs).toISOString();

let pacs: FakePacs;
let folder: string;
let server: StartedFhirsight;

beforeAll(async () => {
  pacs = await startFakePacs();
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-studies-'));
  const imagingFile = await writeImagingFile(folder, pacs.base, identifiers);
  const MODELS_DIR = await someModels(['prevent-base', 'chest-phantom']);
  server = await startFhirsight({ settings: { MODELS_DIR, IMAGING_FILE: imagingFile } });
  for (const [id, value] of [
    ['1', '4711'],
    ['2', '4712'],
  ])
    await keep({ resourceType: 'Patient', id, identifier: [{ system: identifiers, value }] });
  for (const number of [1, 2, 3, 4, 5]) await keep(studyOf(number));
  // Of the fourth one image of one has not arrived; the fifth is of a patient of another server.
  for (const number of [1, 2, 3, 5]) pacs.objects.push(picture(number, 300 * number));
});

afterAll(async () => {
  await server?.close();
  await pacs.close();
  await rm(folder, { recursive: true });
});

/** The first and the second study are of one patient, the fifth of nobody here. */
function patientOf(number: number): string {
  if (number === 5) return 'https://other.example.org/fhir/Patient/1';
  return number <= 2 ? 'Patient/1' : 'Patient/2';
}

function studyOf(number: number): ImagingStudy {
  const { endpoint: _, ...rest } = imagingStudy({
    id: `s${number}`,
    identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:1.2.3.${number}` }],
    subject: { reference: patientOf(number) },
    started: startOf(number),
  });
  return { ...rest, series: [imagingSeries({ uid: `1.2.3.${number}.1` })] };
}

const picture = (number: number, gray: number): KeptObject =>
  evenPicture(gray, { study: `1.2.3.${number}` }, { PatientID: patientOf(number) === 'Patient/1' ? '4711' : '4712' });

async function keep(resource: Resource): Promise<void> {
  const { status, text } = await send(`${server.fhir}/${resource.resourceType}/${resource.id}`, 'PUT', resource);
  expect([200, 201], text).toContain(status);
}

const studies = { search: 'ImagingStudy?modality=DX', since: 'P1D' };
const start = (cohort: unknown, more: object = {}): Promise<Answer> =>
  send(`${server.url}/runs`, 'POST', { model: 'chest-phantom', cohort, ...more });

/** Makes a run and waits for its end. */
async function run(cohort: unknown = studies, more: object = {}): Promise<Answer['body']> {
  const { status, text, body } = await start(cohort, more);
  expect(status, text).toBe(202);
  await ended(server.house.runs, body.id);
  return (await send(`${server.url}/runs/${body.id}`)).body;
}

async function reports(): Promise<DiagnosticReport[]> {
  const { body } = await send(`${server.fhir}/DiagnosticReport?_sort=_id`);
  return ((body as Bundle<DiagnosticReport>).entry ?? []).flatMap(({ resource }) => resource ?? []);
}

const studyOfReport = ({ imagingStudy: [study] = [] }: DiagnosticReport): string | undefined =>
  study?.reference?.replace(/\/_history\/.*/, '');

const rowsOf = async (table: string): Promise<number> =>
  Number((await server.house.database.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]?.n);

describe('a run over studies', () => {
  it('is of each study once, with the subject of each, however many one patient has, and counts what is incomplete', async () => {
    const before = Date.now();
    const body = await run();
    expect(body).toMatchObject({
      state: 'finished',
      cohort: studies,
      members: 5,
      tally: {
        scored: 3,
        written: 3,
        abstained: 1,
        abstainedByReason: { 'insufficient-data:radiograph:study-incomplete': 1 },
        failed: 1,
        failedByCode: { SUBJECT_UNKNOWN: 1 },
      },
    });
    expect(Math.abs(before - 24 * hourMs - Date.parse(body.changedSince))).toBeLessThan(120_000);
    const { body: list } = await send(`${server.url}/runs/${body.id}/members?_count=2`);
    const { body: rest } = await send(`${server.url}${list.next}`);
    const { body: last } = await send(`${server.url}${rest.next}`);
    const members: { subject: string; focus: string; state: string }[] = [list, rest, last].flatMap(
      (page) => page.members,
    );
    expect(members.map(({ subject, focus, state }) => [subject, focus, state])).toEqual([
      ['1', 'ImagingStudy/s1', 'scored'],
      ['1', 'ImagingStudy/s2', 'scored'],
      ['2', 'ImagingStudy/s3', 'scored'],
      ['2', 'ImagingStudy/s4', 'abstained'],
      ['ImagingStudy/s5', 'ImagingStudy/s5', 'failed'],
    ]);
    const csv = await (await fetch(`${server.url}/runs/${body.id}/members?format=csv&sort=-score`)).text();
    expect(csv.split('\r\n').filter((line) => line.startsWith('1,scored'))).toHaveLength(2);
    expect((await reports()).map(studyOfReport).sort()).toEqual([
      'ImagingStudy/s1',
      'ImagingStudy/s2',
      'ImagingStudy/s3',
    ]);
  }, 60_000);

  it('DR-1: makes the very report of $predict about that study, and neither doubles nor amends it', async () => {
    const made = await reports();
    const { asOf } = (await send(`${server.url}/runs?_count=1`)).body.runs[0];
    const [outcomes, versions] = [await rowsOf('outcomes'), await rowsOf('resource_versions')];
    const { body } = await send(`${server.fhir}/ImagingStudy/s1/$predict`, 'POST', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'model', valueString: 'chest-phantom' },
        { name: 'asOf', valueDateTime: asOf },
        { name: 'writeBack', valueBoolean: true },
      ],
    });
    expect(body).toEqual(made.find((report) => studyOfReport(report) === 'ImagingStudy/s1'));
    // As after a crash between what is written and what is counted.
    const { id } = (await send(`${server.url}/runs?_count=1`)).body.runs[0];
    const undo =
      "update run_members set state = 'pending', outcome = null, score = null where run = $1 and state = 'scored'";
    await server.house.database.query(undo, [id]);
    await server.house.database.query("update runs set state = 'cancelled' where id = $1", [id]);
    expect((await send(`${server.url}/runs/${id}/resume`, 'POST')).status).toBe(202);
    await ended(server.house.runs, id);
    expect(await reports()).toEqual(made);
    expect([await rowsOf('outcomes'), await rowsOf('resource_versions')]).toEqual([outcomes, versions]);
  }, 60_000);

  it('of a later day records nothing new of what has not changed, and takes the study that was incomplete', async () => {
    const made = await reports();
    pacs.objects.push(picture(4, 900));
    const body = await run({ search: `ImagingStudy?started=ge${startOf(4.5)}&modality=DX` }, {});
    expect(body.tally).toMatchObject({ scored: 4, abstained: 0, failed: 0 });
    expect(body.changedSince).toBeUndefined();
    const after = await reports();
    expect(after.filter(({ id }) => made.some((one) => one.id === id))).toEqual(made);
    expect(after).toHaveLength(4);
  }, 60_000);

  it.each([
    ['a model of patients', { model: 'prevent-base', cohort: studies }, 'makes no reports on imaging studies'],
    ['a model of studies over patients', { cohort: { all: true } }, 'reports on imaging studies'],
    ['since for patients', { cohort: { search: 'Patient?gender=female', since: 'P1D' } }, 'reports on imaging'],
    ['since that is no duration', { cohort: { ...studies, since: 'yesterday' } }, 'a duration of days'],
    ['since for all', { cohort: { all: true, since: 'P1D' } }, 'cohort.since'],
    [
      'since beside _lastUpdated',
      { cohort: { search: 'ImagingStudy?_lastUpdated=ge2026-01-01', since: 'P1D' } },
      'itself',
    ],
    ['what the store does not know', { cohort: { search: 'ImagingStudy?colour=red' } }, "no search parameter 'colour'"],
  ])('is refused with 400 before anything runs for %s', async (_, { cohort, ...more }, says) => {
    const runs = await rowsOf('runs');
    const { status, text } = await start(cohort, more);
    expect(status, text).toBe(400);
    expect(text).toContain(says);
    expect(await rowsOf('runs')).toBe(runs);
  });
});
