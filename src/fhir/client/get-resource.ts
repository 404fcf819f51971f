import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Resource } from '@medplum/fhirtypes';
import { type Dispatcher, request } from 'undici';
import { PredictionError } from '../../platform/errors.ts';
import { connectionFailure, type Failure } from './connection-failure.ts';
import { statusFailure } from './status-failure.ts';
import { AnswerTooLarge, type Interaction, unreachable } from './unreachable.ts';

/** GETs one FHIR resource; undefined for 404 and 410 where `absence` is an answer. Throws RECORD_UNREACHABLE. */
export type GetResource = (
  url: URL,
  interaction: Interaction,
  options: { readonly absence: boolean; readonly signal?: AbortSignal },
) => Promise<Resource | undefined>;

/** Proves to one server who asks. */
export interface Credentials {
  /** Value of the Authorization header. Throws RECORD_UNREACHABLE where none is to be had. */
  authorization(signal: AbortSignal): Promise<string>;
  /** The server did not accept it: the next is another one. */
  refused(authorization: string): void;
}

export interface GetResourceOptions {
  readonly dispatcher: Dispatcher;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Asked before every request; a request that is answered 401 is repeated once with others. */
  readonly credentials?: Credentials | undefined;
  /** For one resource, from the first byte sent to the last one received, the repetition included. */
  readonly timeoutMs: number;
  /** Of one answer, unpacked. */
  readonly maxBodyBytes: number;
}

type Attempt = { readonly resource: Resource | undefined } | Failure;

const notFhir = 'Check that the FHIR base URL leads to a FHIR R4 server that speaks JSON.';

/** At most one repetition, and only where the server broke off or said that it is busy: a GET changes nothing. */
export function createGetResource(options: GetResourceOptions): GetResource {
  const { timeoutMs } = options;
  return async (url, interaction, { absence, signal }) => {
    const budget = new AbortController();
    const timer = setTimeout(() => budget.abort(), timeoutMs);
    const both = signal === undefined ? budget.signal : AbortSignal.any([signal, budget.signal]);
    const attempt = () => tryOnce(url, interaction, absence, both, options);
    try {
      let outcome = await attempt();
      if ('error' in outcome && outcome.repeatInMs !== undefined && !both.aborted) {
        await pause(outcome.repeatInMs, undefined, { signal: both });
        outcome = await attempt();
      }
      if ('error' in outcome) throw outcome.error;
      return outcome.resource;
    } catch (error) {
      if (signal?.aborted) throw givenUp(interaction, signal.reason);
      if (!budget.signal.aborted) throw error;
      throw unreachable(
        interaction,
        `did not answer completely within ${timeoutMs} ms`,
        'Try again later, or allow the server more time.',
        { code: 'timeout' },
      );
    } finally {
      clearTimeout(timer);
    }
  };
}

function givenUp(interaction: Interaction, reason: unknown): PredictionError {
  if (reason instanceof PredictionError) return reason;
  return unreachable(interaction, 'had not answered when the request was given up', 'Try again with more time.', {
    code: 'timeout',
  });
}

async function tryOnce(
  url: URL,
  interaction: Interaction,
  absence: boolean,
  signal: AbortSignal,
  { dispatcher, headers: usual, credentials, maxBodyBytes }: GetResourceOptions,
): Promise<Attempt> {
  try {
    const authorization = await credentials?.authorization(signal);
    const headers = authorization === undefined ? usual : { ...usual, authorization };
    const response = await request(url, { dispatcher, headers, signal, headersTimeout: 0, bodyTimeout: 0 });
    const { statusCode, body } = response;
    if (statusCode === 200) {
      const encoding = single(response.headers['content-encoding']);
      const bytes = await readBody(body, encoding, maxBodyBytes, interaction, signal);
      return { resource: parse(bytes, single(response.headers['content-type']), interaction) };
    }
    // Not read for its content, which may name the patient; emptied so that the connection can be used again.
    await body.dump({ limit: 65_536, signal });
    if (absence && (statusCode === 404 || statusCode === 410)) return { resource: undefined };
    if (statusCode === 401 && credentials !== undefined && authorization !== undefined) {
      credentials.refused(authorization);
      return { ...statusFailure(interaction, 401, {}), repeatInMs: 0 };
    }
    return statusFailure(interaction, statusCode, {
      location: single(response.headers.location),
      retryAfter: single(response.headers['retry-after']),
    });
  } catch (error) {
    if (error instanceof PredictionError) return { error };
    return connectionFailure(interaction, error);
  }
}

async function readBody(
  body: Readable,
  encoding: string | undefined,
  maxBodyBytes: number,
  interaction: Interaction,
  signal: AbortSignal,
): Promise<Buffer> {
  const collect = async (stream: AsyncIterable<Buffer>) => {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of stream) {
      length += chunk.length;
      if (length > maxBodyBytes) {
        throw unreachable(
          interaction,
          `sent more than ${maxBodyBytes} bytes in one answer`,
          'Lower the page size of that server.',
          { cause: new AnswerTooLarge() },
        );
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, length);
  };
  switch (encoding?.trim().toLowerCase() ?? 'identity') {
    case 'identity':
      return await pipeline(body, collect, { signal });
    case 'gzip':
    case 'x-gzip':
      return await pipeline(body, createGunzip(), collect, { signal });
    case 'deflate':
      return await pipeline(body, createInflate(), collect, { signal });
    case 'br':
      return await pipeline(body, createBrotliDecompress(), collect, { signal });
    default:
      body.destroy();
      throw unreachable(interaction, 'used a content encoding that was not asked for', notFhir);
  }
}

function parse(bytes: Buffer, contentType: string | undefined, interaction: Interaction): Resource {
  const said = /^[\w.+-]+\/[\w.+-]+/.exec(contentType ?? '')?.[0].toLowerCase() ?? 'no content type';
  const version = /;\s*fhirVersion="?(\d+\.\d+)/i.exec(contentType ?? '')?.[1];
  if (version !== undefined && version !== '4.0') {
    throw unreachable(interaction, `answered in FHIR ${version}, not 4.0`, notFhir);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes the body, which may name the patient.
    const what = said.includes('json') ? 'answered JSON that breaks off or is broken' : `answered ${said}, not JSON`;
    throw unreachable(interaction, what, notFhir);
  }
  if (typeof value !== 'object' || value === null || !('resourceType' in value)) {
    throw unreachable(interaction, 'answered JSON that is no FHIR resource', notFhir);
  }
  return value as Resource;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
