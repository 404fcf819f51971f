import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Bundle, BundleEntry, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { isRefused, type StubAbilities, statementOf, understood } from './stub-abilities.ts';

/** One way for the stub to misbehave. Push it into, or take it out of, the array given to the stub at any time. */
export type StubFault = {
  /** Reads, searches, pages behind a next link, or /metadata only; absent: all but /metadata. */
  readonly on?: 'read' | 'search' | 'next' | 'metadata';
  /** One resource type only. */
  readonly type?: string;
  /** Number of requests it still affects; absent: all. */
  times?: number;
} & (
  | {
      readonly kind:
        | 'hang' // takes the request and never answers
        | 'hang-mid-body' // sends half of the body, then nothing
        | 'reset' // resets the connection
        | 'reset-mid-body' // resets it after half of the body
        | 'truncate' // ends the body in the middle
        | 'html' // 200 with a page for people
        | 'patient-instead' // 200 with a Patient that nobody asked for
        | 'no-resource' // 200 with JSON that is no resource
        | 'r5' // declares another FHIR version
        | 'ignore-parameters' // searches by nothing but the type
        | 'foreign-patient' // adds a row of another patient
        | 'outcome-error' // adds an OperationOutcome with severity error to the Bundle
        | 'outcome-instead' // answers 200 with an OperationOutcome
        | 'subsetted' // gives parts of resources, and says so
        | 'no-entry' // leaves entry out of the Bundle, total being 0
        | 'false-total' // counts one match more than it gives
        | 'next-circle' // every page leads to the first page
        | 'next-endless' // every page leads to one more
        | 'next-nowhere' // the next link is no address
        | 'duplicates' // repeats the last row of a page on the following one
        | 'gzip' // compresses every answer
        | 'gzip-broken'; // says that it does, and does not
    }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'huge'; readonly bytes: number } // blanks in front of the answer
  | { readonly kind: 'next-elsewhere'; readonly url: string } // the next link leads there
);

interface StubRequest {
  readonly method: string;
  /** Path and query, the base's path included. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface StubFhirServer {
  /** FHIR base URL without a trailing slash. */
  readonly base: string;
  /** Every request so far, in order of arrival. */
  readonly requests: readonly StubRequest[];
  close(): Promise<void>;
}

/**
 * A small FHIR R4 server as one meets them: pages with opaque next links, gives at most `pageSize` rows whatever
 * `_count` says, ignores `_sort` and knows no order, has no transaction, and puts warnings and resources that nobody
 * searched for into its Bundles.
 */
export async function startStubFhirServer(options: {
  readonly resources: readonly Resource[];
  readonly faults?: StubFault[];
  readonly pageSize?: number;
  readonly abilities?: StubAbilities;
  /** Of the Authorization header: who else asks is answered 401; absent: everybody is let in. */
  readonly accepts?: (authorization: string | undefined) => boolean;
}): Promise<StubFhirServer> {
  const { resources, faults = [], pageSize = 7, abilities = {}, accepts = () => true } = options;
  const requests: StubRequest[] = [];
  const searches = new Map<string, { rows: Resource[]; type: string; size: number }>();

  const server = createServer((request, response) => {
    requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    if (accepts(request.headers.authorization)) handle(request, response);
    else send(response, [], 401, outcome('error', 'login'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`;

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', base);
    const path = url.pathname.replace(/^\/fhir\/?/, '');
    if (request.method !== 'GET') {
      send(response, [], path === '' ? 501 : 405, outcome('error', 'not-supported'));
      return;
    }
    const [type = '', id] = path.split('/');
    const token = url.searchParams.get('page');
    const on = token !== null ? 'next' : path === 'metadata' ? path : id === undefined ? 'search' : 'read';
    const searched = token === null ? type : (searches.get(token.split('.')[0] ?? '')?.type ?? '');
    const active = faults.filter(
      (fault) =>
        ((fault.on === undefined && on !== 'metadata') ||
          fault.on === on ||
          (fault.on === 'search' && on === 'next')) &&
        (fault.type === undefined || fault.type === searched) &&
        fault.times !== 0,
    );
    for (const fault of active) if (fault.times !== undefined) fault.times -= 1;
    if (on === 'metadata') {
      send(response, active, 200, statementOf(abilities));
      return;
    }
    if (on === 'search' && isRefused(url, type, request.headers, abilities)) {
      send(response, active, 400, outcome('error', 'required'));
      return;
    }
    const meant = understood(url, searched, abilities);
    if (on === 'read') {
      const found = resources.find((resource) => resource.resourceType === type && resource.id === id);
      send(response, active, found === undefined ? 404 : 200, found ?? outcome('error', 'not-found'));
      return;
    }
    let key = token?.split('.')[0] ?? '';
    if (token === null) {
      key = Buffer.from(`s${searches.size}`).toString('base64url');
      const all = has(active, 'ignore-parameters');
      const rows = resources.filter((resource) => resource.resourceType === type && (all || matches(resource, meant)));
      const size = Math.min(pageSize, Number(url.searchParams.get('_count') ?? pageSize));
      searches.set(key, { rows: rows.reverse(), type, size });
    }
    const search = searches.get(key);
    if (search === undefined) send(response, active, 410, outcome('error', 'expired'));
    else
      send(
        response,
        active,
        200,
        page(search, key, Number(token?.split('.')[1] ?? 0), abilities.hidesWhatItIgnored ? url : meant, active),
      );
  }

  function page(
    { rows, size }: { rows: Resource[]; size: number },
    key: string,
    number: number,
    url: URL,
    active: StubFault[],
  ): Bundle {
    const from = number * size - (has(active, 'duplicates') && number > 0 ? 1 : 0);
    const shown = rows.slice(from, (number + 1) * size);
    const entry: BundleEntry[] = shown.map((resource) => ({
      fullUrl: `${base}/${resource.resourceType}/${resource.id}`,
      resource,
      search: { mode: 'match' },
    }));
    if (has(active, 'foreign-patient'))
      entry.push(
        ...shown.slice(0, 1).map((resource) => ({ resource: foreign(resource), search: { mode: 'match' as const } })),
      );
    if (has(active, 'subsetted')) {
      for (const each of entry) {
        const tag = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }];
        each.resource = { ...each.resource, meta: { tag } } as Resource;
      }
    }
    entry.splice(1, 0, { resource: outcome('warning', 'informational'), search: { mode: 'outcome' } });
    entry.push({
      resource: { resourceType: 'Organization', id: 'included', name: 'Synthetic' },
      search: { mode: 'include' },
    });
    if (has(active, 'outcome-error')) entry.push({ resource: outcome('error', 'incomplete') });
    const link = [{ relation: 'self', url: url.href }];
    const next = nextLink(key, number, (number + 1) * size < rows.length, active);
    if (next !== undefined) link.push({ relation: 'next', url: next });
    const total = rows.length + (has(active, 'false-total') ? 1 : 0);
    if (has(active, 'no-entry')) return { resourceType: 'Bundle', type: 'searchset', total: 0, link };
    // As some servers do, the total is given on the first page only.
    return { resourceType: 'Bundle', type: 'searchset', link, entry, ...(number === 0 ? { total } : {}) };
  }

  function nextLink(key: string, number: number, more: boolean, active: StubFault[]): string | undefined {
    const elsewhere = active.find((fault) => fault.kind === 'next-elsewhere');
    if (elsewhere?.kind === 'next-elsewhere') return elsewhere.url;
    if (has(active, 'next-nowhere')) return 'http://[nowhere';
    if (has(active, 'next-circle')) return `${base}?page=${key}.0`;
    if (more || has(active, 'next-endless')) return `${base}?page=${key}.${number + 1}`;
    return undefined;
  }

  return {
    base,
    requests,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, faults: StubFault[], status: number, resource: object): void {
  const refusal = faults.find((fault) => fault.kind === 'status');
  if (refusal?.kind === 'status') {
    response.writeHead(refusal.status, { 'content-type': 'text/plain', ...refusal.headers }).end('no');
    return;
  }
  if (has(faults, 'hang')) return;
  if (has(faults, 'reset')) {
    response.socket?.resetAndDestroy();
    return;
  }
  const huge = faults.find((fault) => fault.kind === 'huge');
  let body = Buffer.from(JSON.stringify(resource));
  let type = 'application/fhir+json; charset=utf-8';
  if (huge?.kind === 'huge') body = Buffer.concat([Buffer.alloc(huge.bytes, ' '), body]);
  if (has(faults, 'truncate')) body = body.subarray(0, body.length / 2);
  if (has(faults, 'patient-instead')) body = Buffer.from('{"resourceType":"Patient","id":"unasked"}');
  if (has(faults, 'outcome-instead')) body = Buffer.from(JSON.stringify(outcome('error', 'exception')));
  if (has(faults, 'no-resource')) body = Buffer.from('[]');
  if (has(faults, 'r5')) type = 'application/fhir+json; fhirVersion=5.0';
  if (has(faults, 'html')) {
    body = Buffer.from('<!doctype html><title>Maintenance</title>');
    type = 'text/html';
  }
  response.statusCode = status;
  response.setHeader('content-type', type);
  if (has(faults, 'gzip')) body = gzipSync(body);
  if (has(faults, 'gzip') || has(faults, 'gzip-broken')) response.setHeader('content-encoding', 'gzip');
  if (has(faults, 'hang-mid-body') || has(faults, 'reset-mid-body')) {
    response.write(body.subarray(0, body.length / 2), () => {
      if (has(faults, 'reset-mid-body')) response.socket?.resetAndDestroy();
    });
    return;
  }
  response.end(body);
}

function has(faults: readonly StubFault[], kind: StubFault['kind']): boolean {
  return faults.some((fault) => fault.kind === kind);
}

function matches(resource: Resource, url: URL): boolean {
  for (const [name, value] of url.searchParams) {
    if ((name === 'patient' || name === 'subject') && !names(ownerOf(resource), value)) return false;
    if (name === 'member' && !membersOf(resource).some((member) => names(member, value))) return false;
    if ((name === 'code' || name === 'type' || name === 'category') && !hasCode(resource, name, value)) return false;
    if (name === 'date' && value.startsWith('ge') && endOf(resource) < Date.parse(value.slice(2))) return false;
  }
  return true;
}

function names(reference: string | undefined, id: string): boolean {
  const bare = id.replace(/^Patient\//, '');
  return reference === `Patient/${bare}` || reference === `urn:uuid:${bare}`;
}

function ownerOf(resource: Resource): string | undefined {
  if ('subject' in resource) return (resource.subject as { reference?: string }).reference;
  return 'patient' in resource ? (resource.patient as { reference?: string }).reference : undefined;
}

function membersOf(resource: Resource): (string | undefined)[] {
  return resource.resourceType === 'Group' ? (resource.member ?? []).map(({ entity }) => entity.reference) : [];
}

function hasCode(resource: Resource, element: string, value: string): boolean {
  const concepts = [(resource as unknown as Record<string, unknown>)[element]].flat() as {
    coding?: { system?: string; code?: string }[];
  }[];
  const tokens = concepts.flatMap((concept) => (concept?.coding ?? []).map(({ system, code }) => `${system}|${code}`));
  return value
    .split(/(?<!\\),/)
    .map((token) => token.replaceAll(/\\(.)/g, '$1'))
    .some((token) => tokens.includes(token));
}

/** Epoch milliseconds after which the row is over; infinite where it is not known. */
function endOf(resource: Resource): number {
  const { effectiveDateTime, effectivePeriod, period } = resource as {
    effectiveDateTime?: string;
    effectivePeriod?: { end?: string };
    period?: { end?: string };
  };
  const text = effectiveDateTime ?? effectivePeriod?.end ?? period?.end;
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const dayMs = 86_400_000;
  return Date.parse(text) + (text.length === 4 ? 366 * dayMs : text.length === 7 ? 31 * dayMs : dayMs);
}

function foreign(row: Resource): Resource {
  const somebody = { reference: 'Patient/somebody-else' };
  const owner = 'patient' in row ? { patient: somebody } : { subject: somebody };
  return { ...row, id: 'foreign', ...owner } as Resource;
}

function outcome(severity: 'error' | 'warning', code: string): OperationOutcome {
  return { resourceType: 'OperationOutcome', issue: [{ severity, code: code as 'exception' }] };
}
