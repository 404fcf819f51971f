import type { CapabilityStatement, Resource } from '@medplum/fhirtypes';
import type { Outbound } from '../../platform/outbound/create-outbound.ts';
import { isFhirId } from '../reference.ts';
import { type Credentials, createGetResource } from './get-resource.ts';
import { nextPage, refusePart, searchPages } from './search-pages.ts';
import { type Interaction, unreachable } from './unreachable.ts';

export interface FhirSearch {
  readonly type: string;
  /** Names and values as FHIR means them; they are encoded for the URL here. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** A parameter with values any of which may match; asked for in several searches where the URL would grow too long. */
  readonly anyOf?: { readonly name: string; readonly values: readonly string[] };
  /** The parameter that binds the subject: a server whose answer shows that it ignored it is not believed. */
  readonly subjectParameter?: string;
  /** `_count`; default 200. */
  readonly pageSize?: number;
}

/** A search whose first page was had elsewhere. */
export interface FhirSearchPage {
  readonly type: string;
  /** Of the matches of the first page. */
  readonly ids: ReadonlySet<string>;
  readonly total?: number;
  /** Where the next page is said to be. */
  readonly next: string;
}

/** Reads from one FHIR R4 server. Whatever is not a complete answer in FHIR throws RECORD_UNREACHABLE. */
export interface FhirClient {
  /** Absolute, without a trailing slash, credentials and query. */
  readonly base: string;
  /** One resource, or undefined where the server answers 404 or 410. */
  read(type: string, id: string, signal?: AbortSignal): Promise<Resource | undefined>;
  /** What the server says it can do (/metadata). */
  capabilities(signal?: AbortSignal): Promise<CapabilityStatement>;
  /**
   * Resources of `type` that the server says match, page by page, each version once: of a resource that changes
   * meanwhile there may be several. The server may ignore a parameter: the caller checks what it relies on.
   */
  search(search: FhirSearch, signal?: AbortSignal): AsyncIterable<Resource[]>;
  /** The matches of all further pages, as `search`; a link that leads away from this server is not followed. */
  searchOn(page: FhirSearchPage, signal?: AbortSignal): AsyncIterable<Resource[]>;
  close(): Promise<void>;
}

export interface FhirClientOptions {
  /** `https://host/path`; user and password in it are sent as Basic authentication. */
  readonly base: string;
  /** The server must be one that it reaches. */
  readonly outbound: Pick<Outbound, 'to'>;
  /** For one request with its answer, the one repetition included. */
  readonly timeoutMs: number;
  /** Upper limit of the entries of one search. */
  readonly maxResources: number;
  /** Of one answer, unpacked; default 32 MB. */
  readonly maxBodyBytes?: number;
  /** Sent with every request, for authorisation. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For a server that gives this one tokens of its own. */
  readonly credentials?: Credentials | undefined;
}

const usualPageSize = 200;
/** Longer URLs are cut or refused by common proxies. */
const maxUrlLength = 1_800;

export function createFhirClient(options: FhirClientOptions): FhirClient {
  const { base, authorization } = normaliseBase(options.base);
  const dispatcher = options.outbound.to(base, { connections: 16, connectTimeoutMs: options.timeoutMs });
  const get = createGetResource({
    dispatcher,
    headers: {
      accept: 'application/fhir+json; fhirVersion=4.0, application/fhir+json;q=0.9',
      'accept-encoding': 'gzip, deflate, br',
      ...(authorization === undefined ? {} : { authorization }),
      ...options.headers,
    },
    credentials: options.credentials,
    timeoutMs: options.timeoutMs,
    maxBodyBytes: options.maxBodyBytes ?? 32 * 1024 * 1024,
  });
  return {
    base,
    read: async (type, id, signal) => {
      // No resource can have another id, and a dot segment would ask for another path.
      if (!isFhirId(id) || id === '.' || id === '..') return undefined;
      const interaction: Interaction = { base, name: `read ${type}` };
      const resource = await get(new URL(`${base}/${type}/${id}`), interaction, { absence: true, signal });
      if (resource !== undefined && (resource.resourceType !== type || resource.id !== id)) {
        throw unreachable(
          interaction,
          'answered another resource than the one asked for',
          'Check that the FHIR base URL leads to a FHIR R4 server.',
        );
      }
      if (resource !== undefined) refusePart(resource, interaction);
      return resource;
    },
    capabilities: async (signal) => {
      const interaction: Interaction = { base, name: 'capabilities' };
      const statement = await get(new URL(`${base}/metadata`), interaction, { absence: false, signal });
      if (statement?.resourceType === 'CapabilityStatement') return statement;
      throw unreachable(
        interaction,
        'answered something other than a CapabilityStatement',
        'Check that the FHIR base URL leads to a FHIR R4 server, or declare what it can do in FHIR_SERVER_PROFILE, with "metadata": "ignore".',
      );
    },
    search: async function* (search, signal) {
      const names = [...search.parameters.map(([name]) => name), ...(search.anyOf ? [search.anyOf.name] : [])];
      const interaction: Interaction = { base, name: `search ${search.type} by ${names.join(', ')}` };
      const { type, subjectParameter } = search;
      const seen = new Set<string>();
      for (const url of searchUrls(base, search)) {
        const { maxResources } = options;
        const pages = searchPages(url, { get, interaction, type, subjectParameter, maxResources, signal });
        for await (const page of pages) {
          const fresh = page.filter((resource) => !seen.has(versionKey(resource)));
          for (const resource of fresh) seen.add(versionKey(resource));
          if (fresh.length > 0) yield fresh;
        }
      }
    },
    searchOn: async function* ({ type, ids, total, next }, signal) {
      const interaction: Interaction = { base, name: `search ${type}, further pages` };
      const url = nextPage(next, new URL(`${base}/`), interaction);
      const { maxResources } = options;
      yield* searchPages(url, { get, interaction, type, maxResources, signal, before: { ids, total } });
    },
    close: () => dispatcher.destroy(),
  };
}

/** What tells one version of a resource from another; the whole of it where the server names no version. */
function versionKey(resource: Resource): string {
  const { id, meta } = resource;
  const named = meta?.versionId !== undefined || meta?.lastUpdated !== undefined;
  return JSON.stringify(named ? [id, meta.versionId, meta.lastUpdated] : resource);
}

/** Without credentials, query, fragment and trailing slash; credentials become a header. */
function normaliseBase(text: string): { base: string; authorization?: string } {
  const url = new URL(text);
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  if (url.username === '' && url.password === '') return { base };
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { base, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** One URL, or several where the values of `anyOf` do not fit into one. */
function searchUrls(base: string, { type, parameters, anyOf, pageSize = usualPageSize }: FhirSearch): URL[] {
  const fixed = [...parameters, ['_count', String(pageSize)] as const]
    .map(([name, value]) => `${name}=${encode(value)}`)
    .join('&');
  const stem = `${base}/${type}?${fixed}`;
  if (anyOf === undefined) return [new URL(stem)];
  const urls: URL[] = [];
  let values: string[] = [];
  let length = 0;
  const room = maxUrlLength - stem.length - anyOf.name.length - 2;
  const flush = () => {
    if (values.length > 0) urls.push(new URL(`${stem}&${anyOf.name}=${values.join(',')}`));
    values = [];
    length = 0;
  };
  for (const value of new Set(anyOf.values)) {
    // A comma separates values in a FHIR search; one inside a value is escaped (R4 section 3.1.1.4.0.1).
    const encoded = encode(value.replace(/[\\,$]/g, '\\$&'));
    if (length + encoded.length + 1 > room) flush();
    values.push(encoded);
    length += encoded.length + 1;
  }
  flush();
  return urls;
}

function encode(value: string): string {
  return encodeURIComponent(value).replaceAll('%3A', ':').replaceAll('%2F', '/');
}
