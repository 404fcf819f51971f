import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import { PredictionError } from '../../platform/errors.ts';
import { connectionTrouble } from '../../platform/outbound/connection-trouble.ts';
import { RequestTrouble } from '../../platform/outbound/request-trouble.ts';
import type { DicomwebServer } from './dicomweb-server.ts';
import { type ImageRequest, imagesUnreachable } from './images-unreachable.ts';
import { type MediaType, parseMediaType } from './media-type.ts';
import { createPatience, type Patience } from './patience.ts';
import { statusTrouble } from './status-trouble.ts';

export interface Question {
  /** What is done, for messages: `retrieve frames`. No UID. */
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly base: string;
  /** Below the base: path and query. */
  readonly path: string;
  /** Without it servers answer 406 (DW-12). */
  readonly accept: string;
  readonly contentType?: string;
  readonly body?: readonly Uint8Array[];
  /** Statuses that are an answer; every other one throws. */
  readonly statuses: readonly number[];
}

/** An answer whose body was not read yet: whoever has it reads it or drops it. */
export interface Answer {
  readonly asked: ImageRequest;
  readonly status: number;
  readonly type: MediaType | undefined;
  /** Bytes as they come. Throws IMAGES_UNREACHABLE where they break off. Ending the iteration early ends the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Reads no more of it. */
  drop(): void;
}

/**
 * Sends one request to an image server, and a GET once more where the server broke off or says that it is busy. Redirects are not followed.
 * Throws IMAGES_UNREACHABLE for everything that is no answer with one of the statuses.
 */
export async function askServer(server: DicomwebServer, question: Question, signal?: AbortSignal): Promise<Answer> {
  const asked: ImageRequest = { server: server.name, base: server.wadoBase, name: question.name };
  const patience = createPatience(server.limits.timeoutMs, signal);
  const words = (error: unknown): PredictionError => failure(asked, error, patience, signal, server.limits.timeoutMs);
  const once = async (): Promise<Dispatcher.ResponseData> => {
    const authorization = await server.authorization();
    const bytes = question.body?.reduce((sum, part) => sum + part.length, 0);
    return await patience.during(() =>
      request(`${question.base}${question.path}`, {
        method: question.method,
        dispatcher: server.connectionsTo(question.base),
        signal: patience.signal,
        headersTimeout: 0,
        bodyTimeout: 0,
        headers: {
          accept: question.accept,
          'accept-encoding': 'identity',
          ...(authorization === undefined ? {} : { authorization }),
          ...(question.contentType === undefined ? {} : { 'content-type': question.contentType }),
          ...(bytes === undefined ? {} : { 'content-length': String(bytes) }),
        },
        ...(question.body === undefined ? {} : { body: Readable.from(question.body) }),
      }),
    );
  };
  const repeatable = question.method === 'GET';
  for (let attempt = 1; ; attempt++) {
    const last = attempt === 2 || !repeatable;
    let response: Dispatcher.ResponseData;
    try {
      response = await once();
    } catch (error) {
      if (last || patience.signal.aborted || connectionTrouble(error).mayRepeat !== true) throw words(error);
      continue;
    }
    const { statusCode, headers, body } = response;
    if (!question.statuses.includes(statusCode)) {
      breakOff(body);
      const trouble = statusTrouble(statusCode, single(headers.location), single(headers['retry-after']));
      if (last || trouble.repeatInMs === undefined) {
        const retryAfter = Number(single(headers['retry-after']) ?? Number.NaN);
        const cause = new RequestTrouble({
          status: statusCode,
          ...(Number.isFinite(retryAfter) ? { retryAfterMs: 1_000 * Math.max(0, retryAfter) } : {}),
        });
        throw imagesUnreachable(asked, trouble.happened, trouble.wayOut, { cause });
      }
      await patience
        .during(() => pause(trouble.repeatInMs, undefined, { signal: patience.signal }))
        .catch((error: unknown) => {
          throw words(error);
        });
      continue;
    }
    const encoding = single(headers['content-encoding'])?.trim().toLowerCase() ?? 'identity';
    if (encoding !== 'identity') {
      breakOff(body);
      throw imagesUnreachable(asked, 'packed its answer, which was not asked for', 'Have it send answers as they are.');
    }
    return {
      asked,
      status: statusCode,
      type: parseMediaType(single(headers['content-type'])),
      body: bytesOf(body, patience, words),
      drop: () => breakOff(body),
    };
  }
}

async function* bytesOf(
  body: Readable,
  patience: Patience,
  words: (error: unknown) => PredictionError,
): AsyncGenerator<Uint8Array, void, void> {
  const chunks = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await patience.during(() => chunks.next());
      if (next.done === true) break;
      yield next.value;
    }
    ended = true;
  } catch (error) {
    throw words(error);
  } finally {
    if (!ended) breakOff(body);
  }
}

function failure(
  asked: ImageRequest,
  error: unknown,
  patience: Patience,
  signal: AbortSignal | undefined,
  timeoutMs: number,
): PredictionError {
  if (error instanceof PredictionError) return error;
  if (signal?.aborted === true) {
    if (signal.reason instanceof PredictionError) return signal.reason;
    const happened = 'had not answered completely when the request was given up';
    return imagesUnreachable(asked, happened, 'Try again with more time.', { code: 'timeout' });
  }
  if (patience.ranOut()) {
    const happened = `did not answer completely within ${timeoutMs} ms`;
    const wayOut = 'Try again later, or allow it more time in IMAGING_FILE.';
    return imagesUnreachable(asked, happened, wayOut, { code: 'timeout', cause: new RequestTrouble({}, error) });
  }
  const { happened, wayOut, timeout, neverLeft } = connectionTrouble(error);
  return imagesUnreachable(asked, happened, wayOut, {
    code: timeout === true ? 'timeout' : 'transient',
    cause: new RequestTrouble(neverLeft === undefined ? {} : { neverLeft }, error),
  });
}

/** Ends the connection rather than read what is not wanted. */
function breakOff(body: Readable): void {
  body.on('error', () => undefined); // says that it was broken off
  body.destroy();
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
