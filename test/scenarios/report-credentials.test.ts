import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bundle, DiagnosticReport, ImagingStudy, Patient, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readClientKeys } from '../../src/fhir/client/smart/client-keys.ts';
import { imagingSeries, imagingStudy, wadoEndpoint } from '../support/build-imaging-study.ts';
import { canariesIn } from '../support/canary.ts';
import { captureLog } from '../support/captured-log.ts';
import { cardPrediction, patientView } from '../support/cds-call.ts';
import { type CdsClient, createCdsClient } from '../support/cds-client.ts';
import { keysFile, privateJwk } from '../support/client-keys-file.ts';
import { evenPicture } from '../support/even-picture.ts';
import { type FakePacs, startFakePacs } from '../support/fake-pacs.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { type GuardedFhirsight, startGuardedFhirsight } from '../support/guarded-fhirsight.ts';
import type { ModelFolder } from '../support/model-folder.ts';
import { reportCardModel } from '../support/report-card-model.ts';
import { type StubFault, type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';
import { signToken, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';

/**
 * Reports of studies where everybody asks for credentials: this server of its callers, the FHIR server and the PACS of this
 * server, each for others.
 */
const identifiers = 'https://example.org/patients';
const clientId = 'fhirsight-at-the-hospital';
const tenant = 'north';
/** Each occurs nowhere else. */
const secrets = { pacs: 'zqpacs-secret', own: 'zqbackend', hook: 'zqhook-token', refused: 'zqrefused-token' };
const hookBearer = `Bearer ${secrets.hook}`;

const log = captureLog('debug');
const pacsBearers: (string | undefined)[] = [];
/** Answers that the PACS keeps back; absent: none. */
let held: (() => Promise<void>)[] | undefined;
const faults: StubFault[] = [];
const answers: string[] = [];
/** Signatures of every token that was shown to this server. */
const signatures: string[] = [];
let pacs: FakePacs;
let models: ModelFolder;
let folder: string;
let tokens: TokenServer;
let remote: StubFhirServer;
let issuer: TokenIssuer;
let ehr: CdsClient;
let elsewhere: CdsClient;
let server: GuardedFhirsight;

const patient = (id: string, value: string): Patient => ({
  resourceType: 'Patient',
  id,
  meta: { lastUpdated: '2026-01-02T08:00:00Z' },
  identifier: [{ system: identifiers, value }],
});
const study = (number: number, subject: string): ImagingStudy =>
  imagingStudy({
    id: `s${number}`,
    identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:1.2.3.${number}` }],
    subject: { reference: subject },
    started: new Date(Date.now() - 3_600_000).toISOString(),
    series: [imagingSeries({ uid: `1.2.3.${number}.1` })],
  });

beforeAll(async () => {
  // Of the third study the FHIR server says that it is of Patient/3, and the PACS that it is of 4711.
  const pictures = ['4711', '4712', '4711'].map((PatientID, index) =>
    evenPicture(300 * (index + 1), { study: `1.2.3.${index + 1}` }, { PatientID }),
  );
  pacs = await startFakePacs(pictures);
  pacs.intercept = ({ headers: { authorization }, url = '' }, response) => {
    pacsBearers.push(authorization);
    if (authorization !== `Bearer ${secrets.pacs}`) response.writeHead(401).end();
    else if (held === undefined) return false;
    else
      held.push(async () => {
        const answer = await fetch(new URL(url, pacs.base), { headers: { authorization } });
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
        response.end(new Uint8Array(await answer.arrayBuffer()));
      });
    return true;
  };
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-credentials-'));
  await writeFile(path.join(folder, 'pacs-token'), secrets.pacs);
  const imaging = {
    servers: { pacs: { url: pacs.base, tokenFile: 'pacs-token' } },
    quietPeriodSeconds: 0,
    patientIdentifiers: [{ issuer: 'NORTH', system: identifiers }],
  };
  await writeFile(path.join(folder, 'imaging.json'), JSON.stringify(imaging));
  const ownKeys = keysFile(await privateJwk('ES384', 'ec-1'));
  tokens = await startTokenServer(clientId, (await readClientKeys(ownKeys)).published);
  tokens.answers.stem = secrets.own;
  const resources: Resource[] = [
    patient('1', '4711'),
    patient('2', '4712'),
    patient('3', '4713'),
    study(1, 'Patient/1'),
    study(2, 'Patient/2'),
    study(3, 'Patient/3'),
    wadoEndpoint({ address: pacs.base }),
  ];
  remote = await startStubFhirServer({
    resources,
    faults,
    accepts: (authorization) => authorization === hookBearer || tokens.accepts(authorization),
  });
  models = await reportCardModel();
  [issuer, ehr, elsewhere] = await Promise.all([
    startTokenIssuer(),
    createCdsClient({ tenant }),
    createCdsClient({ issuer: 'https://elsewhere.example.org' }),
  ]);
  const clients = [
    { name: 'ehr', issuer: ehr.issuer, keysFile: 'ehr.json', tenants: [tenant], fhirServers: [remote.base] },
    { name: 'elsewhere', issuer: elsewhere.issuer, keysFile: 'elsewhere.json', fhirServers: [] },
  ];
  server = await startGuardedFhirsight(
    {
      issuers: [{ issuer: issuer.issuer, jwksUri: issuer.jwksUri }],
      clients: [{ issuer: issuer.issuer, clientId: 'dashboard', roles: ['caller', 'operator', 'auditor'] }],
      cdsClients: clients.map((client) => ({ ...client, writesBack: true })),
    },
    {
      logger: log.logger,
      settings: {
        LOG_LEVEL: 'debug',
        MODELS_DIR: models.modelsDir,
        DEMONSTRATION_MODELS: 'on',
        CDS_DEADLINE_MS: '5000',
        IMAGING_FILE: path.join(folder, 'imaging.json'),
        FHIR_BASE_URL: remote.base,
        CDS_FHIR_SERVERS: remote.base,
        FHIR_CLIENT_ID: clientId,
        FHIR_CLIENT_KEYS_FILE: ownKeys,
        FHIR_TOKEN_URL: tokens.tokenUrl,
      },
    },
    { 'ehr.json': JSON.stringify(ehr.keySet()), 'elsewhere.json': JSON.stringify(elsewhere.keySet()) },
  );
}, 120_000);

afterAll(async () => {
  await server?.close();
  for (const each of [remote, tokens, issuer, pacs]) await each?.close();
  await models?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Calls the service about Patient/1. @param bearer of the call itself; @param token with which the FHIR server is to be asked */
async function hook(bearer: string | undefined, token = secrets.hook, fhirServer = remote.base): Promise<Answer> {
  signatures.push(bearer?.split('.').at(-1) ?? '');
  const url = `${server.url}/cds-services/chest-phantom`;
  const answer = await send(url, 'POST', patientView({ patient: '1', fhirServer, token }), {
    'Content-Type': 'application/json',
    ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
  });
  answers.push(answer.text);
  return answer;
}
const service = (): string => `${server.url}/cds-services/chest-phantom`;

/** As the program of a ward, which may do what its scopes say. */
async function ask(url: string, method = 'GET', body?: unknown): Promise<Answer> {
  const answer = await send(url, method, body, { Authorization: `Bearer ${await wardToken()}` });
  answers.push(answer.text);
  return answer;
}

async function wardToken(): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: issuer.issuer, aud: server.fhir, client_id: 'dashboard', sub: 'dashboard', iat: now };
  const bearer = await signToken(issuer.rsa, { ...claims, scope: 'system/*.cruds', exp: now + 300 });
  signatures.push(bearer.split('.').at(-1) ?? '');
  return bearer;
}

const predict = (focus: string): Promise<Answer> =>
  ask(`${server.fhir}/${focus}/$predict`, 'POST', {
    resourceType: 'Parameters',
    parameter: [
      { name: 'model', valueString: 'chest-phantom' },
      { name: 'writeBack', valueBoolean: true },
    ],
  });

/** Any of the tokens so far. */
function tokenPattern(): RegExp {
  const long = [...new Set(signatures.filter((signature) => signature.length > 40))];
  expect(long.length).toBeGreaterThan(5);
  return new RegExp(`zqpacs|zqbackend|zqhook|zqrefused|${long.map((one) => one.slice(0, 40)).join('|')}`);
}

async function reports(): Promise<DiagnosticReport[]> {
  const { status, body, text } = await ask(`${server.fhir}/DiagnosticReport`);
  expect(status, text).toBe(200);
  return ((body as Bundle<DiagnosticReport>).entry ?? []).flatMap(({ resource }) => resource ?? []);
}

async function jobs(): Promise<number> {
  return (await server.house.database.query('select 1 from operation_jobs')).rows.length;
}

/** Everybody who must learn nothing, with the status that says so. */
async function turnedAway(): Promise<[string, Answer, number][]> {
  const spent = await ehr.token(service());
  await hook(spent, secrets.refused);
  const stranger = await createCdsClient({ tenant });
  return [
    ['no token', await hook(undefined), 401],
    ['a token of keys that nobody declared', await hook(await stranger.token(service())), 401],
    ['a token for another service', await hook(await ehr.token(`${server.url}/cds-services/prevent-base`)), 401],
    ['another tenant', await hook(await ehr.token(service(), { claims: { tenant: 'south' } })), 401],
    ['no tenant', await hook(await ehr.token(service(), { claims: { tenant: undefined } })), 401],
    ['a token shown twice', await hook(spent), 401],
    ['a client that may name no server', await hook(await elsewhere.token(service())), 403],
    ['another server', await hook(await ehr.token(service()), secrets.hook, server.fhir), 403],
    ['a token that the FHIR server refuses', await hook(await ehr.token(service()), secrets.refused), 412],
  ];
}

describe('reports of studies where everybody asks for credentials', () => {
  it('CDS-60 CDS-66 CDS-67: whoever may not see the patient is turned away, and starts no job', async () => {
    for (const [who, answer, status] of await turnedAway()) expect([who, answer.status]).toEqual([who, status]);
    expect(await jobs()).toBe(0);
    expect(pacs.requests).toEqual([]);
  });

  it('CDS-15 CDS-32: a declared caller has the report made by the credentials of this server, and then sees it', async () => {
    const waiting: (() => Promise<void>)[] = [];
    held = waiting;
    expect(cardPrediction(await hook(await ehr.token(service()))).state).toBe('computing');
    await expect.poll(() => waiting.length).toBeGreaterThan(0);
    // The row of a job under way holds what it was asked.
    expect(await canariesIn(server.house.database, [], tokenPattern())).toEqual([]);
    held = undefined;
    for (const give of waiting) await give();
    await expect.poll(reports, { timeout: 60_000 }).toHaveLength(1);
    const [report] = await reports();
    expect(report?.subject?.reference).toBe(`${remote.base}/Patient/1`);
    const shown = await hook(await ehr.token(service()));
    expect(cardPrediction(shown)).toMatchObject({ state: 'scored', report: `DiagnosticReport/${report?.id}` });
    expect(await jobs()).toBe(1);
  });

  it('CDS-66: nobody else is told anything of the report that stands', async () => {
    const [report] = await reports();
    for (const [who, answer, status] of await turnedAway()) {
      expect([who, answer.status]).toEqual([who, status]);
      for (const word of [report?.id ?? '?', report?.identifier?.[0]?.value ?? '?', '%', 'cards', 'ImagingStudy'])
        expect(answer.text, who).not.toContain(word);
    }
    expect(await jobs()).toBe(1);
  });

  it('DR-1: $predict reads study, patient and endpoint of the FHIR server, and its images of the PACS', async () => {
    const { status, body, text } = await predict('ImagingStudy/s2');
    expect(status, text).toBe(200);
    expect(body).toMatchObject({
      resourceType: 'DiagnosticReport',
      subject: { reference: `${remote.base}/Patient/2` },
      imagingStudy: [{ reference: expect.stringContaining(`${remote.base}/ImagingStudy/s2`) }],
    });
    expect(await reports()).toContainEqual(body);
    const asked = remote.requests.map(({ url }) => url);
    for (const type of ['ImagingStudy', 'Patient/2', 'Endpoint'])
      expect(asked.filter((url) => url.startsWith(`/fhir/${type}`))).not.toEqual([]);
  });

  it("no report is made of another patient's study, whether the PACS or the FHIR server gives it", async () => {
    const before = await reports();
    const ofAnother = await predict('ImagingStudy/s3');
    expect([ofAnother.status, ofAnother.text]).toEqual([422, expect.stringContaining('study-of-another-patient')]);
    faults.push({ kind: 'foreign-patient', type: 'ImagingStudy' });
    const foreign = await predict('Patient/1');
    expect(foreign.status, foreign.text).toBe(503);
    faults.splice(0, 1, { kind: 'ignore-parameters', type: 'ImagingStudy' });
    const all = await predict('Patient/1');
    expect(all.status, all.text).toBe(503);
    faults.length = 0;
    expect(await reports()).toEqual(before);
  });

  it('DW-4 CDS-15: each credential was shown to whom it is for alone', () => {
    expect(pacsBearers.length).toBeGreaterThan(3);
    expect(new Set(pacsBearers)).toEqual(new Set([`Bearer ${secrets.pacs}`]));
    const own = /^Bearer zqbackend-\d+$/;
    const shown = remote.requests.map(({ headers }) => headers.authorization ?? 'nothing');
    expect(shown.filter((bearer) => own.test(bearer)).length).toBeGreaterThan(3);
    expect(shown).toContain(hookBearer);
    const others = shown.filter((bearer) => !own.test(bearer) && bearer !== hookBearer);
    expect(new Set(others)).toEqual(new Set([`Bearer ${secrets.refused}`]));
    expect(JSON.stringify([tokens.asked, tokens.reads])).not.toMatch(/zqpacs|zqhook|zqrefused/);
  });

  it('SM-21 CDS-67: no token stands in the database, the log, the metrics or an answer', async () => {
    const pattern = tokenPattern();
    expect(await canariesIn(server.house.database, [], pattern)).toEqual([]);
    const headers = { Authorization: `Bearer ${await wardToken()}` };
    const metrics = await fetch(`${server.url}/metrics`, { headers });
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).not.toMatch(pattern);
    expect(log.text()).toContain('operation-job.created');
    expect(log.text()).not.toMatch(pattern);
    for (const text of answers) expect(text).not.toMatch(pattern);
  });
});
