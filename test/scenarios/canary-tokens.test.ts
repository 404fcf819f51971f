import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canariesIn, canary, canaryPatient, canaryPattern } from '../support/canary.ts';
import { captureLog } from '../support/captured-log.ts';
import { cardPrediction, fullPrefetch, patientView } from '../support/cds-call.ts';
import { type CdsClient, createCdsClient } from '../support/cds-client.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { type GuardedFhirsight, startGuardedFhirsight } from '../support/guarded-fhirsight.ts';
import { signToken, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';
import { transactionOf } from '../support/transaction-of.ts';

/**
 * The server that asks for tokens, without VALUES_KEY: canaries in every claim and header of tokens that hold and of tokens
 * that do not, and in all that is sent with them.
 */
const log = captureLog('debug');
const record = canaryPatient('one');
/** An id that ACCESS_FILE declares, as the id of a client is: whose requests are counted and logged. */
const tenant = 'Zqcanarytenant';
/** Columns that hold it by design: the key of the client, by which its requests are told from those of others and owned. */
const ofTenant = /^public\.(?:access_log\.client_key|prediction_log\.caller_key|operation_jobs\.owner): /;
const store = ['resources', 'resource_versions'];
/** Signatures of every token that was shown. */
const signatures: string[] = [];
const answers: { readonly bearer: string; readonly answer: Answer }[] = [];
const whileWaiting: string[] = [];
let issuer: TokenIssuer;
let client: CdsClient;
let server: GuardedFhirsight;

async function call(
  bearer: string,
  method: string,
  url: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  signatures.push(bearer.split('.').at(-1) ?? '');
  const answer = await send(url, method, body, { ...headers, Authorization: `Bearer ${bearer}` });
  answers.push({ bearer, answer });
  return answer;
}

const json = { 'Content-Type': 'application/json' };
const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

/** As a token of the ward's program, with words wherever a claim may hold one. */
function token(changes: Readonly<Record<string, unknown>> = {}, header = {}): Promise<string> {
  const claims = {
    iss: issuer.issuer,
    aud: server.fhir,
    client_id: 'dashboard',
    sub: canary.given,
    jti: `${canary.token}-${randomUUID()}`,
    scope: 'system/*.cruds fhirsight/Zqcanaryscope',
    tid: tenant,
    name: canary.family,
    fhirUser: `${canary.family} of the ward`,
    iat: nowSeconds() - 10,
    exp: nowSeconds() + 300,
    ...changes,
  };
  return signToken(issuer.rsa, claims, header);
}

beforeAll(async () => {
  [issuer, client] = await Promise.all([startTokenIssuer(), createCdsClient({ tenant })]);
  server = await startGuardedFhirsight(
    {
      issuers: [{ issuer: issuer.issuer, jwksUri: issuer.jwksUri, tenant: { claim: 'tid', value: tenant } }],
      clients: [{ issuer: issuer.issuer, clientId: 'dashboard', roles: ['caller', 'operator', 'auditor'] }],
      cdsClients: [{ name: 'ehr', issuer: client.issuer, keysFile: 'keys.json', tenants: [tenant], fhirServers: [] }],
    },
    { logger: log.logger, settings: { LOG_LEVEL: 'debug' } },
    { 'keys.json': JSON.stringify(client.keySet()) },
  );
  await lettingIn();
  await lettingNobodyIn();
}, 240_000);
afterAll(async () => {
  await server?.close();
  await issuer?.close();
});

async function lettingIn(): Promise<void> {
  const stored = await call(await token(), 'POST', server.fhir, transactionOf(record, { fullUrls: false }));
  expect(stored.status, stored.text).toBe(200);
  expect((await call(await token(), 'GET', `${server.fhir}/Patient?identifier=${canary.identifier}`)).status).toBe(200);
  const search = `Patient?identifier=${canary.identifier}`;
  const body = { model: 'prevent-base', cohort: { search }, writeBack: false };
  const run = await call(await token(), 'POST', `${server.url}/runs`, body, { ...json, 'Idempotency-Key': canary.url });
  expect(run.status, run.text).toBe(202);
  const seeds = record.map((resource) => ({ name: 'resource', resource }));
  const asked = {
    resourceType: 'Parameters',
    parameter: [{ name: 'model', valueString: 'prevent-base' }, ...seeds],
  };
  for (let times = 0; times < 3; times += 1) {
    const taken = await call(await token(), 'POST', `${server.fhir}/Patient/one/$predict`, asked, {
      Prefer: 'respond-async',
    });
    expect(taken.status, taken.text).toBe(202);
  }
  whileWaiting.push(...(await canariesIn(server.house.database, store)));
  const service = `${server.url}/cds-services/prevent-base`;
  const claims = () => ({ jti: `${canary.token}-${randomUUID()}`, sub: canary.given, name: canary.family });
  const hooked = await call(
    await client.token(service, { claims: claims() }),
    'POST',
    service,
    patientView({ patient: 'one', prefetch: fullPrefetch(record) }),
    json,
  );
  const answered = {
    card: cardPrediction(hooked) && hooked.body.cards[0].uuid,
    outcome: 'overridden',
    outcomeTimestamp: '2026-03-01T12:00:00Z',
    overrideReason: { userComment: canary.comment },
  };
  const shown = await client.token(`${service}/feedback`, { claims: claims() });
  for (const status of [200, 401]) {
    const feedback = await call(shown, 'POST', `${service}/feedback`, { feedback: [answered] }, json);
    expect(feedback.status, feedback.text).toBe(status);
  }
}

async function lettingNobodyIn(): Promise<void> {
  for (const shown of [
    await token({ iss: `https://${canary.url}.example` }),
    await token({ aud: `https://${canary.url}.example` }),
    await token({ client_id: canary.body }),
    await token({ tid: canary.body }),
    await token({ exp: nowSeconds() - 3_600 }),
    await token({ scope: canary.body, patient: `${canary.body} x` }),
    await token({}, { kid: canary.header, typ: canary.header }),
    `${(await token()).slice(0, -8)}AAAAAAAA`,
    canary.token,
  ]) {
    const refused = await call(shown, 'GET', `${server.fhir}/Patient/one`);
    expect([401, 403]).toContain(refused.status);
  }
  const services = `${server.url}/cds-services`;
  for (const changes of [
    { claims: { iss: `https://${canary.url}.example` } },
    { claims: { aud: `https://${canary.url}.example` } },
    { claims: { tenant: canary.body } },
    { claims: { jti: [canary.token] } },
    { header: { kid: canary.header } },
    { header: { jku: `https://${canary.url}.example/keys` } },
  ])
    expect((await call(await client.token(services, changes), 'GET', services)).status).toBe(401);
}

describe('a canary in the claims and headers of tokens, and in what is sent with them', () => {
  it('SM-21, CDS-66: stands in no column of the database but those of the FHIR store and the key of a client', async () => {
    expect(whileWaiting.filter((place) => !ofTenant.test(place))).toEqual([]);
    const found = await canariesIn(server.house.database, store);
    expect(found.filter((place) => !ofTenant.test(place))).toEqual([]);
    expect(found.length).toBeGreaterThan(0);
  });

  it('stands in no log line and in no metric', async () => {
    expect(log.text().length).toBeGreaterThan(5_000);
    expect(log.lines().filter((line) => canaryPattern.test(JSON.stringify(line)))).toEqual([]);
    const metrics = await fetch(`${server.url}/metrics`, { headers: { Authorization: `Bearer ${await token()}` } });
    expect(metrics.status).toBe(200);
    expect((await metrics.text()).split('\n').filter((line) => canaryPattern.test(line))).toEqual([]);
  });

  it('is answered to nobody who is not let in', () => {
    const refused = answers.filter(({ answer }) => [401, 403].includes(answer.status));
    expect(refused.length).toBeGreaterThan(15);
    for (const { answer } of refused) {
      expect(answer.text).not.toMatch(canaryPattern);
      expect(answer.headers.get('www-authenticate') ?? '').not.toMatch(canaryPattern);
    }
  });

  it('SM-21, CDS-66: no token stands in the log, in the database or in an answer', async () => {
    expect(signatures.every((signature) => signature.length > 2)).toBe(true);
    const long = [...new Set(signatures.filter((signature) => signature.length > 40))];
    expect(long.length).toBeGreaterThan(15);
    const pattern = new RegExp(long.map((signature) => signature.slice(0, 40)).join('|'));
    expect(await canariesIn(server.house.database, [], pattern)).toEqual([]);
    expect(log.text()).not.toMatch(pattern);
    for (const { answer } of answers) expect(answer.text).not.toMatch(pattern);
  });

  it('is read again by whoever may: the search of the run, under the key that the server made for itself', async () => {
    const runs = await call(await token(), 'GET', `${server.url}/runs`);
    expect(runs.text).toContain(canary.identifier);
  });

  it('DSI-42: of a comment nothing is kept without a key, and the log says so', async () => {
    const { rows } = await server.house.database.query('select outcome, user_comment from cds_feedback');
    expect(rows).toEqual([{ outcome: 'overridden', user_comment: null }]);
    expect(log.lines().filter(({ event }) => event === 'cds-feedback.words-not-kept')).toMatchObject([{ words: 1 }]);
  });
});
