import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';

/** How the sink answers the next request that matches, once per entry. */
export interface SinkFault {
  readonly method?: 'GET' | 'POST' | 'PUT';
  /** A part of the path and query. */
  readonly path?: string;
  /** A part of the body: one poisonous result. */
  readonly holding?: string;
  /** Number of requests it still affects; absent: all. */
  times?: number;
  readonly does:
    | 'hang' // takes the request and never answers
    | 'cut-before' // closes the connection and does nothing
    | 'cut-after' // does what was asked, then closes the connection without an answer
    | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: object };
}

export interface SinkRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface StubSinkServer {
  readonly base: string;
  readonly requests: SinkRequest[];
  readonly faults: SinkFault[];
  /** Current resources of a type. */
  all<Kind extends Resource>(type: Kind['resourceType']): (Kind & { id: string })[];
  remove(reference: string): void;
  close(): Promise<void>;
}

/** A small FHIR R4 server that keeps what it is given: creates, updates, reads, search by identifier, transactions. */
export async function startStubSinkServer(
  options: {
    readonly ignoresIfNoneExist?: boolean;
    readonly keepsTags?: boolean;
    /** True: where it answers what it made, no header and no answer to an entry says which version that is. */
    readonly namesNoVersion?: boolean;
  } = {},
): Promise<StubSinkServer> {
  const stored = new Map<string, Resource & { id: string }>();
  const requests: SinkRequest[] = [];
  const faults: SinkFault[] = [];
  let ids = 0;

  const byIdentifier = (type: string, query: string): (Resource & { id: string })[] => {
    const token = (new URLSearchParams(query).get('identifier') ?? '').replace(/\\(.)/g, '$1');
    return [...stored.values()].filter((resource) => {
      const { identifier = [] } = resource as { identifier?: { system?: string; value?: string }[] };
      return resource.resourceType === type && identifier.some(({ system, value }) => `${system}|${value}` === token);
    });
  };
  const put = (resource: Resource, id: string): { status: number; resource: Resource & { id: string } } => {
    const key = `${resource.resourceType}/${id}`;
    const before = stored.get(key);
    const versionId = String(Number(before?.meta?.versionId ?? 0) + 1);
    const tag = [...(resource.meta?.tag ?? [])];
    if (options.keepsTags !== false) {
      for (const old of before?.meta?.tag ?? []) if (!tag.some(({ code }) => code === old.code)) tag.push(old);
    }
    const next = { ...resource, id, meta: { ...resource.meta, versionId, ...(tag.length === 0 ? {} : { tag }) } };
    stored.set(key, next as Resource & { id: string });
    return { status: before === undefined ? 201 : 200, resource: next as Resource & { id: string } };
  };
  type Done = { status: number; resource?: Resource };
  const create = (resource: Resource, ifNoneExist: string | undefined): Done => {
    if (ifNoneExist !== undefined && options.ignoresIfNoneExist !== true) {
      const found = byIdentifier(resource.resourceType, ifNoneExist);
      if (found.length > 1) return { status: 412 };
      if (found[0] !== undefined) return { status: 200, resource: found[0] };
    }
    ids += 1;
    return put(resource, `r${ids}`);
  };
  const update = (resource: Resource, url: string, ifMatch: string | undefined): Done => {
    const [path = '', query] = url.split('?');
    const [type = '', id] = path.split('/');
    const target = query === undefined ? stored.get(`${type}/${id}`) : byIdentifier(type, query)[0];
    const version = /"(.*)"/.exec(ifMatch ?? '')?.[1];
    if (version !== undefined && target?.meta?.versionId !== version) return { status: 412 };
    return put(resource, target?.id ?? id ?? `r${++ids}`);
  };
  const transaction = (bundle: Bundle): Done => {
    const before = new Map(stored);
    const names = new Map<string, string>();
    const done = new Map<BundleEntry, Done>();
    const run = (entry: BundleEntry): void => {
      const { request, resource, fullUrl = '' } = entry;
      const linked = JSON.parse(JSON.stringify(resource), (_key, value) => names.get(value) ?? value) as Resource;
      const result =
        request?.method === 'POST'
          ? create(linked, request.ifNoneExist)
          : update(linked, request?.url ?? '', request?.ifMatch);
      done.set(entry, result);
      if (result.resource) names.set(fullUrl, `${result.resource.resourceType}/${result.resource.id}`);
    };
    for (const entry of bundle.entry ?? []) run(entry);
    const refused = [...done.values()].find(({ status }) => status >= 400);
    if (refused !== undefined) {
      stored.clear();
      for (const [key, resource] of before) stored.set(key, resource);
      return refused;
    }
    const entry = (bundle.entry ?? []).map((each): BundleEntry => {
      const { status, resource } = done.get(each) ?? { status: 500 };
      const location = `${resource?.resourceType}/${resource?.id}`;
      if (options.namesNoVersion === true) return { response: { status: `${status} Done`, location } };
      const version = resource?.meta?.versionId;
      return {
        response: { status: `${status} Done`, location: `${location}/_history/${version}`, etag: `W/"${version}"` },
      };
    });
    return { status: 200, resource: { resourceType: 'Bundle', type: 'transaction-response', entry } };
  };

  const handle = (request: SinkRequest): Done => {
    const [path = '', query = ''] = request.path.split('?');
    const parsed = request.body === '' ? undefined : (JSON.parse(request.body) as Resource);
    if (request.method === 'GET' && path.includes('/')) {
      const resource = stored.get(path);
      return resource === undefined ? { status: 404 } : { status: 200, resource };
    }
    if (request.method === 'GET') {
      const entry = byIdentifier(path, query).map((resource) => ({ resource }));
      return { status: 200, resource: { resourceType: 'Bundle', type: 'searchset', entry } };
    }
    if (parsed === undefined) return { status: 400 };
    if (path === '') return transaction(parsed as Bundle);
    if (path.endsWith('/$meta-delete')) return metaDelete(path.replace('/$meta-delete', ''));
    if (request.method === 'POST') return create(parsed, request.headers['if-none-exist'] as string | undefined);
    return update(parsed, path, request.headers['if-match']);
  };
  const metaDelete = (reference: string): Done => {
    const resource = stored.get(reference);
    if (resource === undefined) return { status: 404 };
    const { tag: _, ...meta } = resource.meta ?? {};
    stored.set(reference, { ...resource, meta } as Resource & { id: string });
    return { status: 200, resource: { resourceType: 'Parameters' } };
  };

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request: SinkRequest = {
      method: incoming.method ?? '',
      path: (incoming.url ?? '').replace(/^\/fhir\/?/, ''),
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    requests.push(request);
    const fault = faults.find(
      ({ method, path, holding, times }) =>
        times !== 0 &&
        (method === undefined || method === request.method) &&
        (path === undefined || request.path.includes(path)) &&
        (holding === undefined || request.body.includes(holding)),
    );
    if (fault?.times !== undefined) fault.times -= 1;
    if (fault?.does === 'hang') return;
    if (fault?.does === 'cut-before') {
      incoming.socket.destroy();
      return;
    }
    if (typeof fault?.does === 'object') {
      response.writeHead(fault.does.status, { 'content-type': 'application/fhir+json', ...fault.does.headers });
      response.end(fault.does.body === undefined ? undefined : JSON.stringify(fault.does.body));
      return;
    }
    const { status, resource } = handle(request);
    if (fault?.does === 'cut-after') {
      incoming.socket.destroy();
      return;
    }
    const headers: Record<string, string> = { 'content-type': 'application/fhir+json' };
    if (resource?.id !== undefined && resource.meta?.versionId !== undefined) {
      const version = resource.meta.versionId;
      headers.location = `${base}/${resource.resourceType}/${resource.id}`;
      if (options.namesNoVersion !== true) {
        headers.location += `/_history/${version}`;
        headers.etag = `W/"${version}"`;
      }
    }
    response.writeHead(status, headers).end(resource === undefined ? undefined : JSON.stringify(resource));
  };
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`;
  return {
    base,
    requests,
    faults,
    all: <Kind extends Resource>(type: Kind['resourceType']) =>
      [...stored.values()].filter(({ resourceType }) => resourceType === type) as (Kind & { id: string })[],
    remove: (reference) => void stored.delete(reference),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
