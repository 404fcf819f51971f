/**
 * What does it cost to prove who calls? `$predict` and the CDS hook with AUTH=required against the same with AUTH=none.
 *
 *     node bench/authentication.ts [seconds per round] [rounds] [postgresql]      # 4 and 5 by default
 *
 * Two servers, each a process of its own with an embedded database, loaded in turn by the same generator with the same calls.
 * With `postgresql` each has a database on a PostgreSQL server, where the store of used tokens is behind a connection: on that of
 * TEST_DATABASE_URL, else on one that is started from Debian's package. Every call of the hook carries a token of
 * its own, as CDS Hooks wants it: ES384, then RS384 with 2048 bits; `$predict` carries one access token for all calls, as
 * SMART Backend Services does until it expires. The server with AUTH=none is sent a header of the same length. Tokens
 * are signed before the rounds, so that the generator does not take the cores. Beside requests a second stands the CPU
 * time of the server for each call, which tells more where other programs run on the machine. Ends with 1 only where something failed.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createCdsClient } from '../test/support/cds-client.ts';
import { startFhirsightProcess } from '../test/support/fhirsight-process.ts';
import { copyModel } from '../test/support/model-folder.ts';
import startPostgresql from '../test/support/postgresql-setup.ts';
import { createTestDataDir } from '../test/support/test-data-dir.ts';
import { makeKey, signToken } from '../test/support/token-issuer.ts';
import { cpuMsOf } from './support/cpu-of.ts';
import { type Load, load, median } from './support/load.ts';
import { type HeldRecord, heldRecords, hookBody, model, predictBody } from './support/records.ts';
import { atLeast, type Figure, report } from './support/report.ts';

const [seconds = 4, rounds = 5] = process.argv.slice(2, 4).map(Number);
const onPostgresql = process.argv[4] === 'postgresql';
const warmUpSeconds = 2 * seconds;
const connections = 32;
const candidates = 80;
/** No server here answers more calls of the hook a second. */
const mostRps = 1_200;
const leastRatio = 0.9;
const asOf = new Date(Math.floor(Date.now() / 60_000) * 60_000);

type Running = Awaited<ReturnType<typeof startFhirsightProcess>>;
type Calls = Pick<Load, 'contentType' | 'bodies'> & { readonly path: string };
interface Measured {
  readonly rps: number[];
  readonly p99: number[];
  readonly cpuMs: number[];
}

const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-bench-access-'));
const models = await copyModel(model);
await models.edit('manifest.json', (manifest) => {
  for (const service of manifest.cdsHooks) service.contributions = 0;
});
const clients = {
  ES384: await createCdsClient({ issuer: 'https://es384.example.org', alg: 'ES384' }),
  RS384: await createCdsClient({ issuer: 'https://rs384.example.org', alg: 'RS384' }),
};
const backend = { issuer: 'https://tokens.example.org', clientId: 'bench', key: await makeKey('rsa-1', 'RS384') };
const write = (name: string, content: unknown): Promise<void> =>
  writeFile(path.join(folder, name), JSON.stringify(content));
for (const [alg, client] of Object.entries(clients)) await write(`${alg}.json`, client.keySet());
await write('issuer.json', { keys: [backend.key.publicJwk] });
await write('access.json', {
  issuers: [{ issuer: backend.issuer, jwksFile: 'issuer.json' }],
  clients: [{ issuer: backend.issuer, clientId: backend.clientId }],
  cdsClients: Object.entries(clients).map(([alg, { issuer }]) => ({
    name: alg.toLowerCase(),
    issuer,
    keysFile: `${alg}.json`,
    fhirServers: [],
  })),
});

/** Those that the model speaks about. */
async function computable(url: string): Promise<HeldRecord[]> {
  const found: HeldRecord[] = [];
  for (const record of heldRecords(candidates)) {
    const { status } = await fetch(`${url}/fhir/R4/Patient/$predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(predictBody(record, asOf)),
    });
    if (status === 200) found.push(record);
  }
  if (found.length === 0) throw new Error('the model speaks about none of the sample patients');
  return found;
}

/** The same calls on both sides in turn; the token of a call is asked for as it is sent. */
async function compared(
  { off, on }: { readonly off: Running; readonly on: Running },
  { path: called, ...calls }: Calls,
  tokens: { readonly off: () => string; readonly on: () => string },
): Promise<{ off: Measured; on: Measured }> {
  const sides = [
    { side: 'off', server: off, token: tokens.off },
    { side: 'on', server: on, token: tokens.on },
  ] as const;
  const measured = { off: { rps: [], p99: [], cpuMs: [] }, on: { rps: [], p99: [], cpuMs: [] } } as Record<
    'off' | 'on',
    Measured
  >;
  for (let round = -1; round < rounds; round++) {
    for (const { side, server, token } of sides) {
      let sent = 0;
      const cpuBefore = cpuMsOf(server.child.pid ?? 0);
      const result = await load({
        ...calls,
        url: `${server.url}${called}`,
        connections,
        seconds: round === -1 ? warmUpSeconds : seconds,
        authorization: () => {
          sent++;
          return `Bearer ${token()}`;
        },
      });
      if (round === -1) continue;
      measured[side].rps.push(result.requestsPerSecond);
      measured[side].p99.push(result.p99Ms);
      measured[side].cpuMs.push((cpuMsOf(server.child.pid ?? 0) - cpuBefore) / sent);
    }
  }
  return measured;
}

function figuresOf(name: string, { off, on }: { off: Measured; on: Measured }): Figure[] {
  const of = (key: keyof Measured) => ({ off: median(off[key]), on: median(on[key]) });
  const [rps, cpu, p99] = [of('rps'), of('cpuMs'), of('p99')];
  return [
    atLeast(`${name}, AUTH=required / none, requests a second`, rps.on / rps.off, leastRatio, {
      requiredRps: rps.on,
      noneRps: rps.off,
      requiredP99Ms: p99.on,
      noneP99Ms: p99.off,
    }),
    atLeast(`${name}, AUTH=none / required, CPU of the server a call`, cpu.off / cpu.on, leastRatio, {
      requiredCpuMs: cpu.on,
      noneCpuMs: cpu.off,
    }),
  ];
}

async function signedFor(url: string, client: (typeof clients)['ES384']): Promise<string[]> {
  const count = mostRps * (warmUpSeconds + 1 + rounds * (seconds + 1));
  const tokens: string[] = [];
  while (tokens.length < count)
    tokens.push(
      ...(await Promise.all(Array.from({ length: 500 }, () => client.token(`${url}/cds-services/${model}`)))),
    );
  return tokens;
}

const settings = { MODELS_DIR: models.modelsDir, OPT_OUT_BY: 'consent,group' };

/** Both servers, each with a database of its own. */
async function measured(): Promise<Figure[]> {
  const data = [await createTestDataDir(), await createTestDataDir()] as const;
  const off = await startFhirsightProcess({ ...data[0].settings, ...settings });
  const on = await startFhirsightProcess({
    ...data[1].settings,
    ...settings,
    AUTH: 'required',
    // One client sends them all here.
    MAX_REQUESTS_PER_MINUTE: '0',
    ACCESS_FILE: path.join(folder, 'access.json'),
  });
  try {
    const records = await computable(off.url);
    const accessToken = await accessTokenFor(on.fhir);
    const predictions: Calls = {
      path: '/fhir/R4/Patient/$predict',
      contentType: 'application/fhir+json',
      bodies: records.map((record) => JSON.stringify(predictBody(record, asOf))),
    };
    const tokens = { off: () => accessToken, on: () => accessToken };
    const figures = figuresOf('$predict', await compared({ off, on }, predictions, tokens));
    const hooks: Calls = {
      path: `/cds-services/${model}`,
      contentType: 'application/json',
      bodies: records.map((record, index) => JSON.stringify(hookBody(record, index))),
    };
    for (const [alg, client] of Object.entries(clients)) {
      const signed = await signedFor(on.url, client);
      const [any = ''] = signed;
      const fresh = (): string => {
        const token = signed.pop();
        if (token === undefined) throw new Error('more calls were answered than there are tokens: raise mostRps');
        return token;
      };
      figures.push(...figuresOf(`hook, ${alg}`, await compared({ off, on }, hooks, { off: () => any, on: fresh })));
    }
    return figures;
  } finally {
    await Promise.all([off.stop('SIGTERM'), on.stop('SIGTERM')]);
    for (const one of data) await one.remove();
  }
}

async function accessTokenFor(audience: string): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  return await signToken(backend.key, {
    iss: backend.issuer,
    aud: audience,
    sub: backend.clientId,
    client_id: backend.clientId,
    scope: 'system/*.cruds',
    iat: nowSeconds,
    exp: nowSeconds + 3_600,
    jti: 'bench',
  });
}

const stopPostgresql = onPostgresql ? await startPostgresql() : undefined;
try {
  const database = process.env.TEST_DATABASE_URL === undefined ? 'embedded' : 'PostgreSQL';
  report('authentication', { connections, rounds, seconds, database }, await measured());
} finally {
  await stopPostgresql?.();
  await models[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
}
