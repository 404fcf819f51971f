import type { Bundle, Resource } from '@medplum/fhirtypes';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed where it is JSON; undefined otherwise. */
  readonly json: unknown;
}

/** A service as discovery lists it. */
export interface DiscoveredService {
  readonly id: string;
  readonly hook: string;
  readonly title?: string;
  readonly description: string;
  readonly prefetch?: Readonly<Record<string, string>>;
  readonly usageRequirements?: string;
}

/** What a call differs in from the usual one. */
export interface CallOptions {
  readonly method?: string;
  /** Text is sent as it is, everything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the Authorization header holds; `none`: there is no such header. Absent: what this server asks for. */
  readonly authorization?: string;
}

/** Claims and header fields of a token that differ from those of a good one; undefined takes a field out. */
export interface TokenChanges {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly algorithm?: 'ES384' | 'RS384';
}

/** The FHIR server of the EHR that the driver plays: listed at the server under test. */
export interface Ehr {
  readonly base: string;
  /** Paths that were asked since it was last asked for them. */
  takeRequests(): readonly { readonly path: string; readonly authorization: string | undefined }[];
}

/** The server under test, and what the driver may do with it. */
export interface Site {
  /** Without a trailing slash. */
  readonly url: string;
  /** Its FHIR base. */
  readonly fhir: string;
  readonly services: readonly DiscoveredService[];
  /** A JWT of the registered CDS client for a URL. Absent: the server asks for none, or no key of a client was given. */
  readonly cdsToken?: (url: string, changes?: TokenChanges) => Promise<string>;
  /** An access token of a registered SMART client. Absent: as above. */
  readonly accessToken?: (scope: string, changes?: TokenChanges) => Promise<string>;
  readonly ehr?: Ehr;
  /** Of web pages that may call. */
  readonly origin?: string;
  /** The synthetic patient whose record is sent as prefetch, and lies at the EHR. */
  readonly patient: string;
  readonly record: readonly Resource[];
  /** Whether resources may be stored at the server. */
  readonly mayWrite: boolean;
  /** The model that is asked for predictions over FHIR. */
  readonly model: string;
  /** Below /cds-services. */
  cds(path: string, options?: CallOptions): Promise<Answer>;
  /** Below the FHIR base. @param scope of the token, where one is needed */
  call(path: string, options?: CallOptions, scope?: string): Promise<Answer>;
}

/** Everything a client may do at the store, and ask of models. */
export const wholeScope = 'system/*.cruds';

/** Sends a request and reads the whole answer; redirects are not followed. */
export async function send(url: string, { method, body, headers = {} }: CallOptions): Promise<Answer> {
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    redirect: 'manual',
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // what is no JSON is told as such by whoever expects some
  }
}

/** A complete answer to a search. */
export function searchset(resources: readonly Resource[]): Bundle {
  const entry = resources.map((resource) => ({ resource, search: { mode: 'match' as const } }));
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: resources.length,
    ...(entry.length === 0 ? {} : { entry }),
  };
}
