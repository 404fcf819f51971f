import { request } from 'undici';
import type { Outbound } from '../../platform/outbound/create-outbound.ts';
import { unlessAborted } from '../../platform/unless-aborted.ts';
import { parseFhirJson, stringifyFhirJson } from '../fhir-json.ts';

/** One request to a FHIR server that may change something there. */
export interface FhirCall {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below the base, without a leading slash; empty for the base itself. */
  readonly path: string;
  /** A resource, or its JSON. */
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How a call ended. */
export type FhirAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Parsed; undefined where the body is empty, too long or no JSON. */
      readonly body: unknown;
      readonly etag?: string;
      readonly location?: string;
      readonly retryAfter?: string;
    }
  /** No answer. `reached` is false where the request surely never left: nothing was changed there. */
  | { readonly kind: 'silent'; readonly reason: string; readonly reached: boolean };

/** Writes to one FHIR server. Never repeats a request by itself, and never follows a redirect. */
export interface FhirWriter {
  /** Absolute, without a trailing slash. */
  readonly base: string;
  call(call: FhirCall, signal?: AbortSignal): Promise<FhirAnswer>;
  close(): Promise<void>;
}

export interface FhirWriterOptions {
  readonly base: string;
  /** The server must be one that it reaches. */
  readonly outbound: Pick<Outbound, 'to'>;
  /** For one request with its answer. */
  readonly timeoutMs: number;
  /** Of one answer; default 32 MB. */
  readonly maxBodyBytes?: number;
}

/** The connection was never made: the server cannot have seen the request. */
const neverLeft: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_INVALID_ARG', // refused before it was sent
  'OUTBOUND_REFUSED',
]);

const longestConnectMs = 10_000;
const longestCloseMs = 2_000;
/** RFC 9110, section 5.5, as far as this server sends any. */
const headerText = /^[\t\x20-\x7e]*$/;

export function createFhirWriter(options: FhirWriterOptions): FhirWriter {
  const { base, timeoutMs, maxBodyBytes = 32 * 1024 * 1024 } = options;
  // Kept-alive connections that the server closes meanwhile are the usual reason for a request of unknown end.
  const dispatcher = options.outbound.to(base, {
    connections: 4,
    // Less than a whole request may take: a host that lets packets drop was surely not reached.
    connectTimeoutMs: Math.min(timeoutMs / 2, longestConnectMs),
    keepAliveMs: 2_000,
  });
  return {
    base,
    call: async ({ method, path, body, headers: own }, signal) => {
      const unfit = Object.entries(own ?? {}).find(([, value]) => !headerText.test(value));
      if (unfit !== undefined)
        return {
          kind: 'silent',
          reason: `the header ${unfit[0]} would have characters that HTTP forbids`,
          reached: false,
        };
      const time = AbortSignal.timeout(timeoutMs);
      const ends = signal === undefined ? time : AbortSignal.any([time, signal]);
      try {
        return await unlessAborted(ends, answerTo());
      } catch (error) {
        if (time.aborted) return { kind: 'silent', reason: `no complete answer within ${timeoutMs} ms`, reached: true };
        const code = codeOf(error);
        return {
          kind: 'silent',
          reason: `the connection failed${code === '' ? '' : ` (${code})`}`,
          reached: !neverLeft.has(code) && !isTls(code),
        };
      }

      async function answerTo(): Promise<FhirAnswer> {
        const response = await request(path === '' ? base : `${base}/${path}`, {
          method,
          dispatcher,
          signal: ends,
          headersTimeout: 0,
          bodyTimeout: 0,
          headers: {
            accept: 'application/fhir+json',
            ...(body === undefined ? {} : { 'content-type': 'application/fhir+json; charset=utf-8' }),
            ...own,
          },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : stringifyFhirJson(body) }),
        });
        const chunks: Buffer[] = [];
        let bytes = 0;
        for await (const chunk of response.body as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          if (bytes > maxBodyBytes) throw new Error('the answer is too long');
          chunks.push(chunk);
        }
        const header = (name: string) => single(response.headers[name]);
        const found = { etag: header('etag'), location: header('location'), retryAfter: header('retry-after') };
        return {
          kind: 'answered',
          status: response.statusCode,
          body: parsed(Buffer.concat(chunks, bytes)),
          ...(found.etag === undefined ? {} : { etag: found.etag }),
          ...(found.location === undefined ? {} : { location: found.location }),
          ...(found.retryAfter === undefined ? {} : { retryAfter: found.retryAfter }),
        };
      }
    },
    close: async () => {
      const time = AbortSignal.timeout(longestCloseMs);
      await unlessAborted(time, dispatcher.destroy()).catch((error: unknown) => {
        if (!time.aborted) throw error;
      });
    },
  };
}

function parsed(bytes: Buffer): unknown {
  try {
    return bytes.length === 0 ? undefined : parseFhirJson(bytes.toString('utf8'));
  } catch {
    return undefined; // not JSON: whoever needs the body sees that there is none
  }
}

function isTls(code: string): boolean {
  return /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code);
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return codeOf(cause.cause);
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
