import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Resource } from '@medplum/fhirtypes';
import type { JSONWebKeySet } from 'jose';
import { callToken } from './prefetch-checks.ts';
import { type Ehr, searchset } from './site.ts';

export interface StartedEhr extends Ehr {
  /** Where the public keys of the driver's clients and of its authorization server lie. */
  readonly keysUrl: string;
  close(): Promise<void>;
}

/**
 * The EHR that the driver plays: a FHIR R4 server with one synthetic record, which knows the token of a hook call, and the
 * place of its public keys.
 * @param port 0 for any free one
 */
export async function startEhr(record: readonly Resource[], keys: JSONWebKeySet, port: number): Promise<StartedEhr> {
  let requests: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const answer = (status: number, body: unknown, type = 'application/fhir+json'): void => {
      response.writeHead(status, { 'Content-Type': type });
      response.end(JSON.stringify(body));
    };
    if (path === '/keys') return answer(200, keys, 'application/json');
    const { authorization } = request.headers;
    requests.push({ path, authorization });
    if (path.startsWith('/fhir/metadata')) return answer(200, statement);
    if (authorization !== `Bearer ${callToken}`) return answer(401, outcome('login'));
    const [, type = '', id] = /^\/fhir\/([A-Za-z]+)(?:\/([^/?]+))?(?:\?.*)?$/.exec(path) ?? [];
    const found = record.filter(({ resourceType }) => resourceType === type);
    if (id === undefined) return answer(200, searchset(found));
    const one = found.find((resource) => resource.id === id);
    return one === undefined ? answer(404, outcome('not-found')) : answer(200, one);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    base: `${origin}/fhir`,
    keysUrl: `${origin}/keys`,
    takeRequests() {
      const taken = requests;
      requests = [];
      return taken;
    },
    close: () => closed(server),
  };
}

const statement = {
  resourceType: 'CapabilityStatement',
  status: 'active',
  date: '2026-01-01',
  kind: 'instance',
  fhirVersion: '4.0.1',
  format: ['application/fhir+json'],
  rest: [{ mode: 'server' }],
};

function outcome(code: string): object {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] };
}

async function closed(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
