import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAccessFile } from '../../../src/http/access/read-access-file.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-access-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const issuer = 'https://login.example.org';
const good = {
  issuers: [{ issuer, jwksUri: `${issuer}/jwks` }],
  clients: [{ issuer, clientId: 'ehr' }],
};

const cdsClient = { name: 'a', issuer, jku: [`${issuer}/jwks`], fhirServers: ['https://EHR.example.org:443/fhir/'] };

async function read(value: unknown) {
  const file = path.join(folder, 'access.json');
  await writeFile(file, typeof value === 'string' ? value : JSON.stringify(value));
  return readAccessFile(file);
}

async function issuesOf(value: unknown): Promise<string[]> {
  const error: unknown = await read(value).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'PredictionError', code: 'CONFIG_INVALID' });
  const { issues, message } = error as { issues: { message: string }[]; message: string };
  return issues.length > 0 ? issues.map((issue) => issue.message) : [message];
}

describe('ACCESS_FILE', () => {
  it('lets in nobody where it declares nobody, and takes asymmetric signatures only by default', async () => {
    expect(await read({})).toMatchObject({ issuers: [], clients: [], staticTokens: [], cdsClients: [] });
    const { issuers, clients } = await read(good);
    expect(issuers[0]).toMatchObject({ algorithms: ['RS384', 'ES384'], grantsOwnScopes: false });
    expect(clients[0]).toMatchObject({ roles: ['caller'] });
  });

  it('finds the files it names beside itself', async () => {
    const access = await read({
      issuers: [{ issuer, jwksFile: 'keys.json' }],
      staticTokens: [{ name: 'prometheus', tokenFile: 'prometheus.token', roles: ['operator'] }],
    });
    expect(access.issuers[0]?.jwksFile).toBe(path.join(folder, 'keys.json'));
    expect(access.staticTokens[0]?.tokenFile).toBe(path.join(folder, 'prometheus.token'));
  });

  it('CDS-64: takes ES384 and RS384 from a CDS client by default, lets it write nothing, and knows its servers by one name', async () => {
    const { cdsClients } = await read({
      cdsClients: [cdsClient, { name: 'b', issuer: 'b', keysFile: 'b.json', fhirServers: [] }],
    });
    expect(cdsClients).toEqual([
      {
        ...cdsClient,
        algorithms: ['ES384', 'RS384'],
        fhirServers: ['https://ehr.example.org/fhir'],
        writesBack: false,
        systemActions: false,
      },
      expect.objectContaining({ keysFile: path.join(folder, 'b.json') }),
    ]);
  });

  it.each([
    ['no JSON', '{', /is not JSON/],
    ['an unknown section', { ...good, users: [] }, /unknown field 'users'/],
    [
      'an unknown field of a client',
      { ...good, clients: [{ ...good.clients[0], admin: true }] },
      /unknown field 'admin'/,
    ],
    [
      'an unknown role',
      { ...good, clients: [{ ...good.clients[0], roles: ['root'] }] },
      /\/clients\/0\/roles\/0 has a value/,
    ],
    ['keys over plain http', { issuers: [{ issuer, jwksUri: 'http://login.example.org/jwks' }] }, /absolute https URL/],
    [
      'keys with a password in the URL',
      { issuers: [{ issuer, jwksUri: 'https://u:p@login.example.org/' }] },
      /absolute https URL/,
    ],
    [
      'SM-21: a symmetric algorithm',
      { issuers: [{ issuer, jwksFile: 'k', algorithms: ['HS256'] }] },
      /algorithms\/0 has a value/,
    ],
    [
      'SM-21: no algorithm',
      { issuers: [{ issuer, jwksFile: 'k', algorithms: ['none'] }] },
      /algorithms\/0 has a value/,
    ],
    ['no way to verify', { issuers: [{ issuer }] }, /exactly one of jwksUri, jwksFile and introspection; it has none/],
    ['two ways to verify', { issuers: [{ issuer, jwksUri: issuer, jwksFile: 'k' }] }, /it has jwksUri and jwksFile/],
    ['an issuer twice', { issuers: [good.issuers[0], good.issuers[0]] }, /declared twice/],
    ['a client of nobody', { clients: good.clients }, /is none of the issuers/],
    ['a client twice', { ...good, clients: [good.clients[0], good.clients[0]] }, /a second time/],
    [
      'a static token without roles',
      { staticTokens: [{ name: 'a', tokenFile: 'x', roles: [] }] },
      /roles must NOT have fewer/,
    ],
    [
      'a CDS client without fhirServers',
      { cdsClients: [{ name: 'a', issuer, jku: [issuer] }] },
      /lacks the field 'fhirServers'/,
    ],
    [
      'CDS-65: a CDS client without keys',
      { cdsClients: [{ name: 'a', issuer, fhirServers: [] }] },
      /exactly one of jku and keysFile/,
    ],
    [
      'CDS-65: a CDS client with keys in two places',
      { cdsClients: [{ ...cdsClient, keysFile: 'keys.json' }] },
      /exactly one of jku and keysFile/,
    ],
    [
      'CDS-65: CDS clients with one issuer',
      { cdsClients: [cdsClient, { ...cdsClient, name: 'b' }] },
      /cdsClients\/1\/issuer .* declared twice/,
    ],
    [
      'CDS-65: a key set over plain http',
      { cdsClients: [{ ...cdsClient, jku: ['http://ehr.example.org/jwks'] }] },
      /absolute https URL/,
    ],
    [
      'CDS-64: a CDS client with HS256',
      { cdsClients: [{ ...cdsClient, algorithms: ['HS256'] }] },
      /algorithms\/0 has a value/,
    ],
    [
      'CDS-64: a CDS client with none',
      { cdsClients: [{ ...cdsClient, algorithms: ['none'] }] },
      /algorithms\/0 has a value/,
    ],
    [
      'CDS-66: an empty list of tenants',
      { cdsClients: [{ ...cdsClient, tenants: [] }] },
      /tenants must NOT have fewer/,
    ],
    [
      'a fhirServer with a password',
      { cdsClients: [{ ...cdsClient, fhirServers: ['https://u:p@ehr.example.org/fhir'] }] },
      /without user, password/,
    ],
  ])('stops the start for %s, and says where', async (_what, value, message) => {
    expect(await issuesOf(value)).toEqual([expect.stringMatching(message)]);
  });

  it('says all that is wrong at once', async () => {
    expect(
      await issuesOf({ issuers: [{ issuer }, { issuer }], clients: [{ issuer: 'x', clientId: 'y' }] }),
    ).toHaveLength(4);
  });

  it('that cannot be read is named', async () => {
    await expect(readAccessFile(path.join(folder, 'absent.json'))).rejects.toThrow(
      /absent\.json cannot be read \(ENOENT\)/,
    );
  });
});
