import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DiagnosticReport, ImagingStudy, Media, Observation, Provenance, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkResource } from '../support/checked/check-resource.ts';
import { parseCurl } from '../support/curl-command.ts';
import { send } from '../support/fhir-test-server.ts';
import { blocksOf, root } from '../support/markdown-blocks.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { type Orthanc, startOrthanc } from '../support/start-orthanc.ts';
import { ended } from '../support/test-runs.ts';

const folder = path.join(root, 'models/chest-phantom/1.0.0');
const artefacts = path.join(root, 'test-artefacts');
const vectors = JSON.parse(readFileSync(path.join(folder, 'training/test-vectors.json'), 'utf8')) as {
  readonly classes: readonly string[];
  readonly probabilities: readonly (readonly number[])[];
};

let orthanc: Orthanc;
let server: StartedFhirsight;
let settings: string;

beforeAll(async () => {
  settings = mkdtempSync(path.join(tmpdir(), 'fhirsight-imaging-'));
  orthanc = await startOrthanc();
  const passwordFile = path.join(settings, 'password');
  writeFileSync(passwordFile, orthanc.password);
  const imaging = {
    servers: { pacs: { url: orthanc.base, user: orthanc.user, passwordFile } },
    quietPeriodSeconds: 0,
    patientIdentifiers: [{ issuer: 'FHIRSIGHT-PHANTOM', system: 'https://example.org/phantoms' }],
  };
  const file = path.join(settings, 'imaging.json');
  writeFileSync(file, JSON.stringify(imaging));
  server = await startFhirsight({ models: ['chest-phantom'], settings: { IMAGING_FILE: file } });
  await put({
    resourceType: 'Endpoint',
    id: 'pacs',
    status: 'active',
    connectionType: { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'dicom-wado-rs' },
    payloadType: [{ text: 'DICOM' }],
    address: orthanc.base,
  });
});
afterAll(async () => {
  await server?.close();
  await orthanc?.stop();
  rmSync(settings, { recursive: true, force: true });
});

async function put(resource: Resource): Promise<void> {
  const answer = await fetch(`${server.fhir}/${resource.resourceType}/${resource.id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(resource),
  });
  expect([200, 201], await answer.clone().text()).toContain(answer.status);
}

const labels = [
  'nothing-added',
  'spot-left',
  'spot-right',
  'level-left',
  'level-right',
  'dark-left',
  'dark-right',
  'wide-centre',
  'box',
];

/**
 * Stores a drawn picture in the PACS, and its patient and study in the FHIR store.
 * @param id of both
 */
async function storeStudy(name: string, id = name): Promise<string> {
  const label = String(labels.indexOf(name)).padStart(2, '0');
  const bytes = readFileSync(path.join(folder, `training/samples/${name}.dcm`));
  const stored = await orthanc.ask('POST', '/instances', new Uint8Array(bytes));
  expect(stored.status).toBe(200);
  const uid = `2.25.7320508075688772${label}0001`;
  await put({
    resourceType: 'Patient',
    id,
    identifier: [{ system: 'https://example.org/phantoms', value: `PHANTOM-${label}` }],
  });
  const study: ImagingStudy = {
    resourceType: 'ImagingStudy',
    id,
    identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${uid}.1` }],
    status: 'available',
    subject: { reference: `Patient/${id}` },
    started: new Date(Date.now() - 3_600_000).toISOString(),
    endpoint: [{ reference: 'Endpoint/pacs' }],
    numberOfSeries: 1,
    numberOfInstances: 1,
    series: [
      {
        uid: `${uid}.2`,
        modality: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CR' },
        numberOfInstances: 1,
      },
    ],
  };
  await put(study);
  return id;
}

async function predict(id: string, more: readonly object[] = []): Promise<Resource> {
  const answer = await fetch(`${server.fhir}/Patient/${id}/$predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify({
      resourceType: 'Parameters',
      parameter: [{ name: 'model', valueString: 'chest-phantom' }, ...more],
    }),
  });
  return (await answer.json()) as Resource;
}

function asReport(resource: Resource): DiagnosticReport {
  if (resource.resourceType !== 'DiagnosticReport') throw new Error(JSON.stringify(resource));
  return resource;
}

const contained = <Kind extends Resource>(report: DiagnosticReport, type: Kind['resourceType']): Kind[] =>
  (report.contained ?? []).filter(({ resourceType }) => resourceType === type) as Kind[];

describe('a study in a PACS', () => {
  it.each(['nothing-added', 'spot-left', 'level-right', 'box'])(
    'becomes a report that says what was drawn: %s',
    async (name) => {
      const report = asReport(await predict(await storeStudy(name)));
      const [finding] = contained<Observation>(report, 'Observation');
      expect(finding?.valueCodeableConcept?.coding?.[0]?.code).toBe(name);
      const at = vectors.classes.indexOf(name);
      const probability = finding?.extension?.find(({ url }) => url.endsWith('/prediction-class-probability'));
      const expected = Math.max(...(vectors.probabilities[at] ?? []));
      expect((probability?.valueQuantity?.value ?? 0) / 100).toBeCloseTo(expected, 5);
      expect(checkResource(report)).toEqual([]);
      const [picture, ...others] = contained<Media>(report, 'Media');
      expect(picture?.content.title).toMatch(/^What was drawn into the picture: .*Orange: what raised its probability/);
      expect(others).toEqual([]);
      expect(report.conclusion).toMatch(/^AI result, not read by a radiologist\./);
      keep(report, name);
    },
  );

  it('is written back as one report, with who made it and of what', async () => {
    const report = asReport(await predict(await storeStudy('box'), [{ name: 'writeBack', valueBoolean: true }]));
    expect(report.id).toBeDefined();
    const found = await fetch(`${server.fhir}/Provenance?target=DiagnosticReport/${report.id}`);
    const { entry } = (await found.json()) as { entry?: { resource: Provenance }[] };
    expect(entry).toHaveLength(1);
    expect(entry?.[0]?.resource.entity?.map(({ what }) => what?.reference)).toContainEqual(
      expect.stringMatching(/^ImagingStudy\/box\/_history\//),
    );
    expect(checkResource(report)).toEqual([]);
  });

  it('RA-7: of which another image came has the same report still, amended, and the same image once more amends nothing', async () => {
    const writeBack = { name: 'writeBack', valueBoolean: true };
    const first = asReport(await predict(await storeStudy('nothing-added', 'late'), [writeBack]));
    expect(asReport(await predict('late', [writeBack])).id).toBe(first.id);
    await storeStudy('level-right', 'late');
    const amended = asReport(await predict('late', [writeBack]));
    expect(amended).toMatchObject({ id: first.id, status: 'amended', meta: { versionId: '2' } });
    expect(contained<Observation>(amended, 'Observation')[0]?.valueCodeableConcept?.coding?.[0]?.code).toBe(
      'level-right',
    );
    expect(checkResource(amended)).toEqual([]);
  });

  it('is reported on as docs/imaging.md says', async () => {
    const picture = readFileSync(path.join(folder, 'training/samples/level-right.dcm'));
    await orthanc.ask('POST', '/instances', new Uint8Array(picture));
    const [file, command] = blocksOf('docs/imaging.md').slice(0, 2);
    const bundle = JSON.parse(file?.text ?? '') as { entry: { resource: ImagingStudy }[] };
    const resources = bundle.entry.map(({ resource }) => resource);
    const study = resources.find(({ resourceType }) => resourceType === 'ImagingStudy') as ImagingStudy;
    study.started = new Date(Date.now() - 3_600_000).toISOString();
    study.endpoint = [{ reference: 'Endpoint/pacs' }];
    const stored = await fetch(server.fhir, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(bundle),
    });
    expect(stored.status, await stored.text()).toBe(200);
    const { url, ...request } = parseCurl(command?.text ?? '');
    const answer = await fetch(url.replace('http://127.0.0.1:8080', server.url), request);
    expect(String(answer.status)).toBe(command?.mark?.value);
    const report = asReport((await answer.json()) as Resource);
    const [finding] = contained<Observation>(report, 'Observation');
    expect(finding?.valueCodeableConcept?.coding?.[0]?.code).toBe('level-right');
    expect(Buffer.from(report.presentedForm?.[0]?.data ?? '', 'base64').toString()).toContain('<html');
  });

  it('DR-1: is reported on by a run over all studies of the day, each once, and by a second run no further', async () => {
    const made = await runOverStudies();
    const reports = await storedReports();
    expect(made).toMatchObject({ state: 'finished', tally: { failed: 0, abstained: 0 } });
    expect(made.members).toBeGreaterThan(4);
    expect(new Set(reports.map(({ imagingStudy: [study] = [] }) => study?.reference)).size).toBe(reports.length);
    expect(reports).toHaveLength(made.members);
    for (const report of reports) expect(checkResource(report)).toEqual([]);
    expect(await runOverStudies()).toMatchObject({ members: made.members, tally: made.tally });
    expect(await storedReports()).toEqual(reports);
  }, 120_000);

  it('of another patient is read for nobody', async () => {
    await storeStudy('spot-left');
    await put({
      resourceType: 'Patient',
      id: 'spot-left',
      identifier: [{ system: 'https://example.org/phantoms', value: 'ANOTHER' }],
    });
    const outcome = await predict('spot-left');
    expect(outcome).toMatchObject({ resourceType: 'OperationOutcome' });
    expect(JSON.stringify(outcome)).toContain('study-of-another-patient');
  });
});

/** Runs the model over what has changed at the store since yesterday. */
async function runOverStudies(): Promise<{ readonly members: number; readonly state: string; readonly tally: object }> {
  const cohort = { search: 'ImagingStudy?modality=CR', since: 'P1D' };
  const { status, body, text } = await send(`${server.url}/runs`, 'POST', { model: 'chest-phantom', cohort });
  expect(status, text).toBe(202);
  await ended(server.house.runs, body.id);
  return (await send(`${server.url}/runs/${body.id}`)).body;
}

async function storedReports(): Promise<DiagnosticReport[]> {
  const { body } = await send(`${server.fhir}/DiagnosticReport?_sort=_id&_count=100`);
  return ((body.entry ?? []) as { resource: DiagnosticReport }[]).map(({ resource }) => resource);
}

/** Pages and pictures for a person to look at. */
function keep(report: DiagnosticReport, name: string): void {
  mkdirSync(artefacts, { recursive: true });
  const [page] = report.presentedForm ?? [];
  writeFileSync(path.join(artefacts, `${name}.html`), Buffer.from(page?.data ?? '', 'base64'));
  contained<Media>(report, 'Media').forEach(({ content }, index) => {
    writeFileSync(path.join(artefacts, `${name}-${index + 1}.png`), Buffer.from(content.data ?? '', 'base64'));
  });
}
