import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type {
  Bundle,
  DiagnosticReport,
  ImagingStudy,
  Media,
  Observation,
  Provenance,
  Resource,
} from '@medplum/fhirtypes';
import { decode } from 'fast-png';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readImageAttributes } from '../../src/imaging/dicom/image-attributes.ts';
import { readPart10 } from '../../src/imaging/dicom/read-part10.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { parseCurl } from '../support/curl-command.ts';
import { send } from '../support/fhir-test-server.ts';
import { blocksOf, root } from '../support/markdown-blocks.ts';
import { openRelay, type Relay } from '../support/relay.ts';
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
let relay: Relay;
const secret = 'a-secret-of-the-ehr-0123456789';

beforeAll(async () => {
  settings = mkdtempSync(path.join(tmpdir(), 'fhirsight-imaging-'));
  orthanc = await startOrthanc();
  const passwordFile = path.join(settings, 'password');
  writeFileSync(passwordFile, orthanc.password);
  relay = await openRelay(Number(new URL(orthanc.base).port));
  const stowUrl = orthanc.base.replace(/:\d+/, `:${relay.port}`);
  const imaging = {
    servers: { pacs: { url: orthanc.base, stowUrl, user: orthanc.user, passwordFile } },
    quietPeriodSeconds: 0,
    patientIdentifiers: [{ issuer: 'FHIRSIGHT-PHANTOM', system: 'https://example.org/phantoms' }],
  };
  const objects = ['secondary-capture', 'structured-report'];
  const retries = { firstRetryMs: 50, maxRetryMs: 200 };
  const sinks = [{ kind: 'dicomweb', name: 'reading-room', server: 'pacs', reports: true, objects, ...retries }];
  const subscription = { name: 'drawn', models: ['chest-phantom'], header: 'X-Secret', secretFile: 'secret' };
  writeFileSync(path.join(settings, 'secret'), secret);
  const file = (name: string, content: object): string => {
    const place = path.join(settings, name);
    writeFileSync(place, JSON.stringify(content));
    return place;
  };
  server = await startFhirsight({
    models: ['chest-phantom'],
    settings: {
      IMAGING_FILE: file('imaging.json', imaging),
      SINKS_FILE: file('sinks.json', { sinks }),
      SUBSCRIPTIONS_FILE: file('subscriptions.json', { subscriptions: [{ ...subscription, quietPeriodSeconds: 1 }] }),
      DEMONSTRATION_MODELS: 'on',
    },
  });
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
  await relay?.down();
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

interface Sent {
  readonly result: string;
  readonly state: string;
  readonly receipt?: { readonly resources: Readonly<Record<string, { readonly reference: string }>> };
  readonly lastError?: { readonly reason: string };
}

/** How it went with the objects of a report. */
async function sent(report: DiagnosticReport): Promise<Sent | undefined> {
  const answer = (await (await fetch(`${server.url}/deliveries?_count=100`)).json()) as { deliveries: Sent[] };
  return answer.deliveries.find(({ result }) => result === `DiagnosticReport/${report.id}`);
}

const stateOf = (report: DiagnosticReport) => expect.poll(async () => (await sent(report))?.state, { timeout: 30_000 });

/** The files that the PACS has of the study of a drawn picture, by modality. */
async function filesOf(name: string): Promise<Map<string, Uint8Array[]>> {
  const label = String(labels.indexOf(name)).padStart(2, '0');
  const query = { Level: 'Instance', Expand: true, Query: { StudyInstanceUID: `2.25.7320508075688772${label}0001.1` } };
  const found = await orthanc.ask('POST', '/tools/find', new TextEncoder().encode(JSON.stringify(query)));
  const files = new Map<string, Uint8Array[]>();
  for (const { ID } of (await found.json()) as { ID: string }[]) {
    const file = new Uint8Array(await (await orthanc.ask('GET', `/instances/${ID}/file`)).arrayBuffer());
    const modality = String(readPart10(file).dataset['00080060']?.Value?.[0]);
    files.set(modality, [...(files.get(modality) ?? []), file]);
  }
  return files;
}

const counts = (files: ReadonlyMap<string, readonly Uint8Array[]>) =>
  Object.fromEntries([...files].map(([modality, each]) => [modality, each.length]));

/** What dcmtk prints of a file. */
function printed(program: 'dcmdump' | 'dsrdump', options: readonly string[], file: Uint8Array | undefined): string {
  const place = path.join(settings, 'object.dcm');
  writeFileSync(place, file ?? new Uint8Array());
  return execFileSync(program, [...options, place], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const attributesOf = (file: Uint8Array = new Uint8Array()) => readImageAttributes(readPart10(file).dataset);

/** Stores a drawn picture in the PACS that says something else in some elements. */
async function storeAs(name: string, elements: Readonly<Record<string, string>>): Promise<void> {
  const place = path.join(settings, 'changed.dcm');
  copyFileSync(path.join(folder, `training/samples/${name}.dcm`), place);
  const changes = Object.entries(elements).flatMap(([tag, value]) => ['-m', `(${tag})=${value}`]);
  execFileSync('dcmodify', ['-nb', ...changes, place], { stdio: 'pipe' });
  expect((await orthanc.ask('POST', '/instances', new Uint8Array(readFileSync(place)))).status).toBe(200);
}

describe('a report that is written back', () => {
  const writeBack = [{ name: 'writeBack', valueBoolean: true }];
  const objects = { CR: 1, OT: 1, SR: 1 };
  beforeEach(async () => {
    const open = async () => (await server.house.deliveries.summary()).map(({ pending, sending }) => pending + sending);
    await expect.poll(open, { timeout: 30_000 }).toEqual([0]);
    await orthanc.empty();
  });

  it('AIR-1, AIR-2, AIR-3: is in the study in the PACS as a Secondary Capture and a structured report, which dcmtk reads', async () => {
    const report = asReport(await predict(await storeStudy('box', 'sent'), writeBack));
    await stateOf(report).toBe('delivered');
    const files = await filesOf('box');
    expect(counts(files)).toEqual(objects);
    const document = printed('dsrdump', ['+Pl', '+Pc'], files.get('SR')?.[0]);
    for (const line of [
      'Comprehensive 3D SR Document',
      'Preliminary Flag    : PRELIMINARY',
      '"Algorithm Name")="Chest phantoms (demonstration on drawn images, not for clinical use) (chest-phantom)"',
      'AI result, not read by a radiologist.',
      '=(box,',
    ])
      expect(document).toContain(line);
    const capture = printed('dcmdump', ['+U8', '+L'], files.get('OT')?.[0]);
    expect(capture).toContain('UI =SecondaryCaptureImageStorage');
    expect(capture).toContain('not read by a radiologist.]');
    const [media] = contained<Media>(report, 'Media');
    const shown = decode(Buffer.from(media?.content.data ?? '', 'base64'));
    expect([...(readPart10(files.get('OT')?.[0] ?? new Uint8Array()).frames[0] ?? [])]).toEqual([...shown.data]);
    const resources = Object.keys((await sent(report))?.receipt?.resources ?? {});
    expect(resources).toEqual(['secondary-capture/1', 'structured-report/1']);
  });

  it('DW-16, SUB-3: is not made again by its own objects: neither by a prediction after them nor by a notice of them', async () => {
    const report = asReport(await predict(await storeStudy('spot-left', 'again'), writeBack));
    await stateOf(report).toBe('delivered');
    expect(asReport(await predict('again', writeBack))).toMatchObject({ id: report.id, meta: { versionId: '1' } });
    // What stands between PACS and FHIR server lists them as it lists whatever arrives.
    const study = (await (await fetch(`${server.fhir}/ImagingStudy/again`)).json()) as ImagingStudy;
    const listed = ['OT', 'SR'].map((code, index) => ({
      uid: `2.25.99${index}`,
      modality: { system: 'http://dicom.nema.org/resources/ontology/DCM', code },
      description: 'AI result, not read by a radiologist',
      numberOfInstances: 1,
    }));
    const series = [...(study.series ?? []), ...listed];
    await put({ ...study, numberOfSeries: 3, numberOfInstances: 3, series });
    const told = await fetch(`${server.url}/subscriptions/imaging-study/drawn/ImagingStudy/again`, {
      method: 'PUT',
      headers: { 'content-type': 'application/fhir+json', 'X-Secret': secret },
      body: JSON.stringify(study),
    });
    expect(told.status).toBe(200);
    const noticed = async () => (await server.house.database.query('select seen from study_notices')).rows;
    await expect.poll(noticed, { timeout: 60_000 }).toEqual([{ seen: '2' }]);
    const again = asReport(await predict('again', writeBack));
    expect(again).toMatchObject({ id: report.id, status: 'preliminary', meta: { versionId: '1' } });
    expect(JSON.stringify(again.meta)).not.toContain('superseded');
    const all = (await (await fetch(`${server.fhir}/DiagnosticReport?subject=Patient/again`)).json()) as Bundle;
    expect(all.entry).toHaveLength(1);
    expect(await sent(report)).toMatchObject({ state: 'delivered' });
    expect(counts(await filesOf('spot-left'))).toEqual(objects);
  });

  it('AIR-1, RA-7: and amended has a second document in the same series, which names the first', async () => {
    const report = asReport(await predict(await storeStudy('box', 'amended'), writeBack));
    await stateOf(report).toBe('delivered');
    const before = await filesOf('box');
    const { studyInstanceUid: study, seriesInstanceUid: series } = attributesOf(before.get('CR')?.[0]);
    await orthanc.empty();
    for (const file of [...(before.get('OT') ?? []), ...(before.get('SR') ?? [])])
      await orthanc.ask('POST', '/instances', new Uint8Array(file));
    await storeAs('level-right', { '0020,000D': study, '0020,000E': series, '0010,0020': 'PHANTOM-08' });
    expect(asReport(await predict('amended', writeBack))).toMatchObject({ id: report.id, status: 'amended' });
    // The picture of the first is there still.
    await stateOf(report).toBe('dead');
    expect(await sent(report)).toMatchObject({ lastError: { reason: 'keeps-objects' } });
    const after = await filesOf('box');
    expect(counts(after)).toEqual({ CR: 1, OT: 2, SR: 2 });
    const [first = new Uint8Array()] = before.get('SR') ?? [];
    const second = after.get('SR')?.find((file) => attributesOf(file).instanceNumber === 2);
    expect(attributesOf(second).seriesInstanceUid).toBe(attributesOf(first).seriesInstanceUid);
    expect(printed('dcmdump', ['+L', '+P', '0040,a360'], second)).toContain(attributesOf(first).sopInstanceUid);
    expect(printed('dsrdump', ['+Pl'], second)).toContain('Amended: it takes the place of');
  });

  it('waits for a PACS that is down, and is there once when it is up again', async () => {
    await relay.down();
    const report = asReport(await predict(await storeStudy('level-right', 'down'), writeBack));
    await expect.poll(async () => (await sent(report))?.lastError?.reason, { timeout: 30_000 }).toBe('unreachable');
    // It is waited for, or tried again at this very moment.
    expect(['pending', 'sending']).toContain((await sent(report))?.state);
    await relay.up();
    await stateOf(report).toBe('delivered');
    expect(counts(await filesOf('level-right'))).toEqual(objects);
  });

  it('AIR-1: and is not sent to a study that the PACS has given to somebody else meanwhile', async () => {
    await relay.down();
    const report = asReport(await predict(await storeStudy('level-right', 'given-away'), writeBack));
    await expect.poll(async () => (await sent(report))?.lastError?.reason, { timeout: 30_000 }).toBe('unreachable');
    await orthanc.empty();
    await storeAs('level-right', { '0010,0020': 'SOMEBODY-ELSE' });
    await relay.up();
    await stateOf(report).toBe('dead');
    expect(await sent(report)).toMatchObject({ lastError: { reason: 'another-patient' } });
    expect(counts(await filesOf('level-right'))).toEqual({ CR: 1 });
  });
});

/** Pages and pictures for a person to look at. */
function keep(report: DiagnosticReport, name: string): void {
  mkdirSync(artefacts, { recursive: true });
  const [page] = report.presentedForm ?? [];
  writeFileSync(path.join(artefacts, `${name}.html`), Buffer.from(page?.data ?? '', 'base64'));
  contained<Media>(report, 'Media').forEach(({ content }, index) => {
    writeFileSync(path.join(artefacts, `${name}-${index + 1}.png`), Buffer.from(content.data ?? '', 'base64'));
  });
}
