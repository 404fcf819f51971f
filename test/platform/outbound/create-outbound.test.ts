import type { LookupAddress } from 'node:dns';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dispatcher, request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LogEvent } from '../../../src/platform/events.ts';
import { createOutbound, type Outbound, type OutboundOptions } from '../../../src/platform/outbound/create-outbound.ts';

let server: Server;
let port: number;
let arrived: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let events: LogEvent[];
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  arrived = [];
  events = [];
  answer = (_, response) => void response.setHeader('content-type', 'application/json').end('{"keys":[]}');
  server = createServer((incoming, response) => {
    arrived.push(`${incoming.method} ${incoming.headers.host}${incoming.url}`);
    answer(incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const outbound = (options: Partial<OutboundOptions>): Outbound => {
  const made = createOutbound({ allowed: [], event: (event) => void events.push(event), ...options });
  open.push(made);
  return made;
};
const listed = (url: string, reach: 'public' | 'private' = 'public') => ({ url, purpose: 'CDS_FHIR_SERVERS', reach });
/** A resolver that gives one list of addresses after the other, the last one for ever; and how often it was asked. */
const resolver = (...answers: string[][]) => {
  const asked: string[] = [];
  const resolve = async (host: string): Promise<LookupAddress[]> => {
    const addresses = answers[Math.min(asked.push(host), answers.length) - 1] ?? [];
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { resolve, asked };
};
const get = async (made: Outbound, url: string, to = url) => {
  const dispatcher: Dispatcher = made.to(to, { connections: 1, connectTimeoutMs: 1_000 });
  open.push({ close: () => dispatcher.destroy() });
  const { statusCode, body } = await request(url, { dispatcher });
  await body.dump();
  return statusCode;
};

describe('a server that the settings name', () => {
  test('is reached at an address that is listed as such', async () => {
    const url = `http://127.0.0.1:${port}`;
    const made = outbound({ allowed: [listed(`${url}/fhir`)] });
    expect(await get(made, `${url}/fhir/metadata`)).toBe(200);
    expect(await (await made.fetch(`${url}/jwks.json`)).json()).toEqual({ keys: [] });
    expect(arrived).toEqual([`GET 127.0.0.1:${port}/fhir/metadata`, `GET 127.0.0.1:${port}/jwks.json`]);
  });

  test('is reached by a name on a private network only if it is for the site alone to ask it, or its host is listed', async () => {
    const { resolve } = resolver(['127.0.0.1']);
    const url = `http://ehr.hospital.example:${port}/`;
    await expect(get(outbound({ resolve, allowed: [listed(url)] }), url)).rejects.toMatchObject({
      code: 'OUTBOUND_REFUSED',
    });
    expect(arrived).toEqual([]);
    expect(events).toEqual([
      {
        name: 'outbound.refused',
        reason: 'address-not-allowed',
        origin: `http://ehr.hospital.example:${port}`,
        purpose: 'CDS_FHIR_SERVERS',
      },
    ]);
    expect(await get(outbound({ resolve, allowed: [listed(url, 'private')] }), url)).toBe(200);
    const privateHosts = ['EHR.hospital.example'];
    expect(await get(outbound({ resolve, allowed: [listed(url)], privateHosts }), url)).toBe(200);
  });

  test('is connected to at the very address that was checked: its name is resolved once for a connection', async () => {
    const { resolve, asked } = resolver(['127.0.0.1'], ['169.254.169.254']);
    const url = `http://ehr.hospital.example:${port}/`;
    const made = outbound({ resolve, allowed: [listed(url, 'private')] });
    expect(await get(made, url)).toBe(200);
    expect(asked).toHaveLength(1);
    await expect(get(made, url)).rejects.toMatchObject({ code: 'OUTBOUND_REFUSED' });
    await expect(made.fetch(url)).rejects.toMatchObject({ code: 'OUTBOUND_REFUSED' });
    expect(arrived).toHaveLength(1);
  });

  test.each([
    ['a metadata address', ['169.254.169.254']],
    ['a public address and a private one', ['93.184.216.34', '127.0.0.1']],
    ['an IPv4-mapped loopback address', ['::ffff:127.0.0.1']],
    ['loopback behind NAT64', ['64:ff9b::7f00:1']],
    ['0.0.0.0', ['0.0.0.0']],
  ])('is not connected to where its name resolves to %s', async (_, addresses) => {
    const url = `http://ehr.example.org:${port}/`;
    const made = outbound({ resolve: resolver(addresses).resolve, allowed: [listed(url)] });
    await expect(get(made, url)).rejects.toMatchObject({ code: 'OUTBOUND_REFUSED' });
    expect(arrived).toEqual([]);
  });

  test('whose name has no address is not found', async () => {
    const url = `http://ehr.example.org:${port}/`;
    const made = outbound({ resolve: resolver([]).resolve, allowed: [listed(url)] });
    await expect(get(made, url)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});

describe('whatever the settings do not name', () => {
  test.each([
    ['another port', (own: number) => `http://127.0.0.1:${own + 1}/`],
    ['another scheme', (own: number) => `https://127.0.0.1:${own}/`],
    ['another spelling of the same machine', (own: number) => `http://localhost:${own}/`],
    ['the listed host as a prefix', (own: number) => `http://127.0.0.1.evil.example:${own}/`],
    ['the listed host as a user', (own: number) => `http://127.0.0.1@evil.example:${own}/`],
    ['a trailing dot', (own: number) => `http://localhost.:${own}/`],
  ])('is not asked: %s', async (_, urlOf) => {
    const own = `http://127.0.0.1:${port}`;
    const { resolve, asked } = resolver(['127.0.0.1']);
    const made = outbound({ resolve, allowed: [listed(own, 'private')] });
    await expect(made.fetch(urlOf(port))).rejects.toThrow();
    await expect(get(made, urlOf(port))).rejects.toThrow();
    expect([...arrived, ...asked]).toEqual([]);
    expect(JSON.stringify(events)).not.toContain('evil');
  });

  test('SM-6: connections to one server carry no request to another one, be it listed too', async () => {
    const own = `http://127.0.0.1:${port}/`;
    const made = outbound({ allowed: [listed(own), listed('http://127.0.0.2:9/')] });
    await expect(get(made, own, 'http://127.0.0.2:9/')).rejects.toMatchObject({ reason: 'not-listed' });
    expect(arrived).toEqual([]);
  });
});

describe('fetch', () => {
  const own = () => `http://127.0.0.1:${port}`;

  test.each(['follow', 'manual'] as const)('follows no redirect, whatever is asked for (%s)', async (redirect) => {
    answer = (incoming, response) =>
      incoming.url === '/jwks'
        ? response.writeHead(302, { location: '/elsewhere' }).end()
        : response.end('{"keys":["canary"]}');
    const made = outbound({ allowed: [listed(own())] });
    await expect(made.fetch(`${own()}/jwks`, { redirect })).rejects.toMatchObject({ reason: 'redirect' });
    expect(arrived).toEqual([`GET 127.0.0.1:${port}/jwks`]);
  });

  test('gives up an answer that is too long or never ends, and what is packed small', async () => {
    const made = outbound({ allowed: [listed(own())], fetchMaxBytes: 1_000, fetchTimeoutMs: 200 });
    answer = (_, response) => void response.end('x'.repeat(1_001));
    await expect(made.fetch(own())).rejects.toMatchObject({ reason: 'too-long' });
    answer = (_, response) => void response.write('x');
    await expect(made.fetch(own())).rejects.toMatchObject({ name: 'TimeoutError' });
    answer = (incoming, response) => void response.end(incoming.headers['accept-encoding']);
    expect(await (await made.fetch(own())).text()).toBe('identity');
    answer = (_, response) => void response.setHeader('x-long', 'x'.repeat(40_000)).end();
    await expect(made.fetch(own())).rejects.toMatchObject({ code: 'UND_ERR_HEADERS_OVERFLOW' });
  });

  test('sends a form and gives the status and the headers of the answer', async () => {
    const bodies: string[] = [];
    answer = (incoming, response) => {
      incoming.on('data', (chunk: Buffer) => void bodies.push(`${incoming.headers['content-type']} ${chunk}`));
      incoming.on('end', () => void response.writeHead(400, { 'x-own': 'yes' }).end('{"error":"invalid_client"}'));
    };
    const body = new URLSearchParams({ grant_type: 'client_credentials' });
    const response = await outbound({ allowed: [listed(own())] }).fetch(own(), { method: 'POST', body });
    expect(response.status).toBe(400);
    expect(response.headers.get('x-own')).toBe('yes');
    expect(await response.json()).toEqual({ error: 'invalid_client' });
    expect(bodies).toEqual(['application/x-www-form-urlencoded;charset=UTF-8 grant_type=client_credentials']);
  });

  test('gives an answer without a body where its status has none', async () => {
    answer = (_, response) => void response.writeHead(204).end();
    expect((await outbound({ allowed: [listed(own())] }).fetch(own())).body).toBeNull();
  });
});
