import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FhirsightProcess, root, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { asyncOwners } from '../support/fuzz/async-owners.ts';
import { type CallerKeys, writeCallerKeys } from '../support/fuzz/caller-keys.ts';
import { chanceOf } from '../support/fuzz/chance.ts';
import type { Credential } from '../support/fuzz/credential.ts';
import { type Credentials, openCredentials, withCredential } from '../support/fuzz/credentials.ts';
import { type FuzzCall, fuzzCall, fuzzedRoutes } from '../support/fuzz/fuzz-call.ts';
import { fuzzSize } from '../support/fuzz/fuzz-size.ts';
import { expectAccount } from '../support/fuzz/fuzzed-server.ts';
import { isOpen, keptWords, lettingFault } from '../support/fuzz/letting-fault.ts';
import { runFuzz } from '../support/fuzz/run-fuzz.ts';
import type { FuzzAnswer } from '../support/fuzz/send-call.ts';
import { canary, person } from '../support/fuzz/valid-bodies.ts';
import { someModels } from '../support/some-models.ts';
import { createTestDataDir, type TestDataDir } from '../support/test-data-dir.ts';

const { toCallers: requests, seed } = fuzzSize;
const tokens = { protocol: 'protocol-token-of-the-fuzzer', admin: 'admin-token-of-the-fuzzer' };

/** Most calls go where scopes decide, and are well formed: others are refused whoever asks. */
const often = [
  '/fhir/R4',
  '/fhir/R4/*rest',
  '/fhir/R4/*rest',
  '/fhir/R4/Patient/:id/$predict',
  '/cds-services/:service',
  '/fhir/R4/_async/:id',
];
const routes = [...fuzzedRoutes, ...Array.from({ length: 4 }, () => often).flat()];

let data: TestDataDir;
let folder: string;
let keys: CallerKeys;
let server: FhirsightProcess;
let credentials: Credentials;
beforeAll(async () => {
  data = await createTestDataDir();
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-callers-'));
  for (const [name, token] of Object.entries(tokens)) await writeFile(path.join(folder, name), token);
  keys = await writeCallerKeys(folder);
  server = await startFhirsightProcess({
    ...data.settings,
    MODELS_DIR: await someModels(['prevent-base']),
    AUTH: 'required',
    ACCESS_FILE: keys.accessFile,
    INFERENCE_PROTOCOL: 'on',
    INFERENCE_PROTOCOL_TOKEN_FILE: path.join(folder, 'protocol'),
    ADMIN_TOKEN_FILE: path.join(folder, 'admin'),
    MAX_REQUESTS_PER_MINUTE: '0',
    LOG_LEVEL: 'info',
  });
  credentials = await openCredentials(keys, server, tokens);
  for (const resource of [...person, ...kept]) {
    const stored = await fetch(`${server.fhir}/${resource.resourceType}/${resource.id}`, {
      method: 'PUT',
      body: JSON.stringify(resource),
      headers: { 'Content-Type': 'application/fhir+json', Authorization: writer().authorization ?? '' },
    });
    if (stored.status !== 201) throw new Error(`PUT ${resource.id}: ${stored.status} ${await stored.text()}`);
  }
});
afterAll(async () => {
  await server?.stop('SIGTERM');
  await rm(folder, { recursive: true });
  await data.remove();
});

/** What only those may see whose scopes say so; nothing that is sent writes them. */
const kept = [
  { resourceType: 'Patient', id: 'kept', name: [{ family: keptWords.Patient }] },
  {
    resourceType: 'Condition',
    id: 'kept-note',
    code: { text: keptWords.Condition },
    subject: { reference: 'Patient/kept' },
  },
] as const;

function writer(): Credential {
  const [first] = credentials.holding;
  if (first === undefined) throw new Error('nobody may write');
  return first;
}

/** Some predictions are asked for asynchronously, and what is asked after is mostly what the server took of somebody. */
function asynchronous(call: FuzzCall, own: number, ids: readonly string[]): FuzzCall {
  const chance = chanceOf(own ^ 0xa5c);
  if (call.route.endsWith('/$predict') && chance.is(0.3))
    return { ...call, headers: { ...call.headers, prefer: 'respond-async' } };
  if (!call.route.includes('/_async/') || ids.length === 0 || chance.is(0.1)) return call;
  const { body: _, ...bare } = call;
  return { ...bare, method: chance.is(0.2) ? 'DELETE' : 'GET', target: `/fhir/R4/_async/${chance.of(ids)}` };
}

it(`SM-12, SM-22, CDS-60, CDS-67, OP-55: none of ${requests} requests of seed ${seed} with good, bad, mutated and missing tokens is let in where its token does not say so, and no token is told`, {
  timeout: 60_000 + requests * 60,
}, async () => {
  const shown = new WeakMap<object, Credential>();
  const sent = new Map<string, number>();
  const letIn = new Map<string, number>();
  const everShown = new Set<string>();
  const owners = asyncOwners();
  const askedAfter = { byTheOwner: 0, byOthers: 0 };
  const more = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  const callOf = async (own: number) => {
    const plain = asynchronous(fuzzCall(own, routes, tokens, own % 3 === 0 ? 1 : 0.1), own, owners.ids());
    const credential = await credentials.choose(own, plain);
    const call = withCredential(plain, credential);
    shown.set(call, credential);
    for (const part of credential.parts) everShown.add(part);
    more(sent, credential.name);
    return call;
  };
  const faultOf = (call: Awaited<ReturnType<typeof callOf>>, answer: FuzzAnswer): string | undefined => {
    const credential = shown.get(call);
    if (credential === undefined) throw new Error('nobody sent it');
    shown.delete(call);
    if (answer.status < 400 && !isOpen(call.target)) {
      more(letIn, credential.name);
      credentials.taken(call, credential);
    }
    owners.taken(call, answer, credential);
    const id = owners.ids().find((one) => call.target === `/fhir/R4/_async/${one}`);
    const mayPredict = credential.grant.permissions.has('predictions.make');
    if (id !== undefined && owners.fault(id, credential) !== undefined && mayPredict) askedAfter.byOthers++;
    else if (id !== undefined && answer.status < 400) askedAfter.byTheOwner++;
    return lettingFault(call, answer, credential, owners);
  };
  const secrets = [tokens.protocol, tokens.admin, keys.staticToken, folder, root, String(data.settings.DATA_DIR)];
  const report = await runFuzz(server, { seed, requests, callOf, faultOf, secrets });
  const tokensLetIn = Object.fromEntries(letIn);
  process.stdout.write(
    `fuzz of callers: ${JSON.stringify({ ...report, kinds: sent.size, askedAfter, tokensLetIn })}\n`,
  );
  expect(report.faults.join('\n\n')).toBe('');
  expect(report.requests).toBe(requests);
  expect(report.rssMb.late - report.rssMb.early).toBeLessThan(400);
  expect(report.slowestHealthMs).toBeLessThan(10_000);
  expect(server.child.exitCode).toBeNull();
  // Whoever may do something was let in, so that the refusals say something too; every kind had its turn.
  const idle = /no scope|grant nothing|do not count|without roles|without a patient/;
  const useful = [...credentials.holding.map(({ name }) => name), 'a CDS token', 'a CDS token of a tenant'];
  expect(useful.filter((name) => !idle.test(name) && !letIn.has(name))).toEqual([]);
  expect(credentials.notHolding.filter((name) => !sent.has(name))).toEqual([]);
  expect(Math.min(askedAfter.byTheOwner, askedAfter.byOthers)).toBeGreaterThan(0);
  for (const { resourceType, id } of kept) {
    const read = await fetch(`${server.fhir}/${resourceType}/${id}`, {
      headers: { Authorization: writer().authorization ?? '' },
    });
    expect(await read.text()).toContain(keptWords[resourceType]);
  }
  const log = server.output();
  expectAccount(log);
  expect([canary, ...Object.values(keptWords), ...Object.values(tokens)].filter((word) => log.includes(word))).toEqual(
    [],
  );
  expect([...everShown].filter((part) => log.includes(part))).toEqual([]);
});
