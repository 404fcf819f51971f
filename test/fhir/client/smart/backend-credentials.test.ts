import { randomUUID } from 'node:crypto';
import type { JWK } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createFhirClient, type FhirClient } from '../../../../src/fhir/client/fhir-client.ts';
import { type BackendClient, backendCredentials } from '../../../../src/fhir/client/smart/backend-credentials.ts';
import { type ClientKeys, readClientKeys } from '../../../../src/fhir/client/smart/client-keys.ts';
import { keysFile, privateJwk } from '../../../support/client-keys-file.ts';
import { outboundTo } from '../../../support/outbound-to.ts';
import { startTokenServer, type TokenServer } from '../../../support/token-server.ts';

const clientId = 'fhirsight-at-the-hospital';
const needed = 'system/Patient.rs system/Observation.rs';
let ec: JWK;
let rsa: JWK;
let keys: ClientKeys;
let server: TokenServer;
let nowMs: number;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  [ec, rsa] = await Promise.all([privateJwk('ES384', 'ec-1'), privateJwk('RS384', 'rsa-1')]);
  keys = await readClientKeys(keysFile(ec, rsa));
});
beforeEach(async () => {
  nowMs = Date.now();
  server = await startTokenServer(clientId, keys.published, () => new Date(nowMs));
  open.push(server);
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

function clientOf(options: Partial<BackendClient> = {}): FhirClient {
  const outbound = outboundTo(server.base);
  const credentials = backendCredentials({
    base: server.base,
    clientId,
    keys,
    needed: () => needed,
    fetch: outbound.fetch,
    clock: { now: () => new Date(nowMs) },
    newId: randomUUID,
    ...options,
  });
  const client = createFhirClient({ base: server.base, outbound, timeoutMs: 5_000, maxResources: 10, credentials });
  open.push(outbound, client);
  return client;
}
const read = (client: FhirClient) => client.read('Patient', '1');

describe('a token', () => {
  test('SM-1, SM-3, SM-4: is asked for where the SMART configuration says, with a signed assertion, and read with', async () => {
    expect(await read(clientOf())).toEqual({ resourceType: 'Patient', id: '1' });
    const [{ form, header, claims } = { form: {}, header: {}, claims: {} }] = server.asked;
    expect(form).toEqual({
      grant_type: 'client_credentials',
      scope: needed,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: expect.any(String),
    });
    expect(header).toEqual({ alg: 'ES384', kid: 'ec-1', typ: 'JWT' });
    expect(claims).toMatchObject({ iss: clientId, sub: clientId, aud: server.tokenUrl });
    expect((claims.exp ?? 0) - nowMs / 1_000).toBeLessThanOrEqual(300);
    expect(server.reads).toEqual(['GET /fhir/Patient/1 Bearer token-1']);
  });

  test('SM-2: is signed with RS384 where the server takes no ES384', async () => {
    server.answers.algorithms = ['RS384'];
    await read(clientOf());
    expect(server.asked.map(({ header }) => header.alg)).toEqual(['RS384']);
  });

  test('SM-5: is asked for once by all who wait, and kept until shortly before its end', async () => {
    const client = clientOf();
    await Promise.all(Array.from({ length: 20 }, () => read(client)));
    expect(server.asked).toHaveLength(1);
    nowMs += 269_000;
    await read(client);
    expect(server.asked).toHaveLength(1);
    nowMs += 2_000;
    await read(client);
    expect(server.asked).toHaveLength(2);
  });

  test('SM-5: that is refused is replaced once, by a request with another jti; a second refusal is an error', async () => {
    const client = clientOf();
    await read(client);
    server.revoke();
    expect(await read(client)).toBeDefined();
    expect(new Set(server.asked.map(({ claims }) => claims.jti)).size).toBe(2);
    const { reads } = server;
    const before = reads.length;
    const always = clientOf({
      fetch: async () => Response.json({ access_token: 'x', token_type: 'bearer', expires_in: 9 }),
      tokenUrl: server.tokenUrl,
    });
    await expect(read(always)).rejects.toMatchObject({
      code: 'RECORD_UNREACHABLE',
      message: expect.stringContaining('401'),
    });
    expect(reads.length - before).toBe(2);
  });

  test.each([
    ['less', 'system/Patient.rs', 'system/Observation.rs'],
    ['only a part of a type', 'system/Patient.rs system/Observation.rs?category=laboratory', 'system/Observation.rs'],
    ['reading without searching', 'system/Patient.rs system/Observation.r', 'system/Observation.rs'],
    ['the same for a patient', 'patient/*.rs', 'system/Patient.rs'],
  ])('SM-5: that grants %s is not used: what may not be read would look like an absence', async (_, scope, lacks) => {
    server.answers.scope = scope;
    await expect(read(clientOf())).rejects.toThrow(`leaves out`);
    await expect(read(clientOf())).rejects.toThrow(lacks);
    expect(server.reads).toEqual([]);
  });

  test.each(['system/*.read', 'system/*.rs', 'system/Patient.cruds system/Observation.*', 'openid system/*.*'])(
    'SM-5: that grants the same in other words (%s) is used',
    async (scope) => {
      server.answers.scope = scope;
      expect(await read(clientOf({ requested: scope }))).toBeDefined();
    },
  );

  test.each([
    [400, '{"error":"invalid_client","error_description":"canary"}', 'invalid_client'],
    [401, '{"error":"invalid_scope"}', 'invalid_scope'],
    [500, '<html>canary</html>', 'no reason of OAuth'],
    [400, '{"error":"canary"}', 'no reason of OAuth'],
  ])(
    'SM-7: that is refused (%i) is told by the name that OAuth has for it, and nothing else of the answer',
    async (status, body, said) => {
      server.answers.error = { status, body };
      const error = await read(clientOf()).catch((caught: unknown) => caught as Error);
      expect(error).toMatchObject({
        code: 'RECORD_UNREACHABLE',
        message: expect.stringContaining(`(${status}, ${said})`),
      });
      expect((error as Error).message).not.toContain('canary');
    },
  );

  test.each([undefined, 'soon', 0, -1])('SM-5: without a lifetime (%s) is not used', async (expiresIn) => {
    server.answers.expiresIn = expiresIn;
    await expect(read(clientOf())).rejects.toThrow('no bearer token with its lifetime');
  });
});

describe('SM-6: the assertion and the token', () => {
  test.each([
    ['another host', 'https://tokens.evil.example/token'],
    ['another port', 'http://127.0.0.1:1/token'],
    ['no address', 'http://['],
    ['nothing', undefined],
  ])('are not sent where the configuration names %s', async (_, endpoint) => {
    server.answers.configuration = { token_endpoint: endpoint };
    await expect(read(clientOf())).rejects.toThrow('Set FHIR_TOKEN_URL');
    expect([server.asked, server.reads]).toEqual([[], []]);
  });

  test('go to the endpoint that the settings name, also where the configuration names another', async () => {
    server.answers.configuration = { token_endpoint: 'https://tokens.evil.example/token' };
    expect(await read(clientOf({ tokenUrl: server.tokenUrl }))).toBeDefined();
    expect(server.asked).toHaveLength(1);
  });
});
