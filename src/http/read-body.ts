import { isAscii, isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { parseFhirJson } from '../fhir/fhir-json.ts';
import { PredictionError } from '../platform/errors.ts';
import { parseMediaType } from './media-type.ts';

const isBlank = /^\s*$/;

/** How long a caller may go on sending a body that was refused. */
const discardMs = 10_000;

/**
 * Reads a body once, up to `maxBytes`. A longer one is not kept: what still comes is thrown away for a while, so
 * that a caller who only reads after sending gets the answer. Throws BODY_TOO_LARGE.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  refuseEncoding(request);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(request, maxBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else finish(() => reject(tooLarge(request, maxBytes)));
    };
    const onEnd = () => finish(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    const onBroken = (cause?: Error) =>
      finish(() =>
        reject(new PredictionError('BODY_UNPARSEABLE', 'The connection ended before the body did.', { cause })),
      );
    const finish = (settle: () => void) => {
      request.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      settle();
    };
    request.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  });
}

/**
 * Reads and parses a JSON body. Throws CONTENT_TYPE_UNSUPPORTED, BODY_TOO_LARGE or BODY_UNPARSEABLE; its messages say where,
 * but repeat nothing of the body.
 */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  refuseUnlessJson(request);
  return parseJsonBody(await readBody(request, maxBytes));
}

/**
 * The same for a caller that uses numbers as doubles and gives none of them back: that 0.10 was written so is forgotten.
 */
export async function readPlainJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  refuseUnlessJson(request);
  return parseJsonBody(await readBody(request, maxBytes), JSON.parse);
}

/** Reads a form (`application/x-www-form-urlencoded`) as its text. Throws as `readJsonBody`. */
export async function readFormBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const type = parseMediaType(request.headers['content-type'] ?? '');
  if (type?.type !== 'application/x-www-form-urlencoded') {
    throw unsupported(request, 'application/x-www-form-urlencoded');
  }
  return decodeUtf8(await readBody(request, maxBytes));
}

/** Parses JSON strictly: valid UTF-8, one value. Throws BODY_UNPARSEABLE. */
export function parseJsonBody(body: Buffer, parse: (text: string) => unknown = parseFhirJson): unknown {
  const text = decodeUtf8(body);
  if (isBlank.test(text)) throw new PredictionError('BODY_UNPARSEABLE', 'The body is empty; a JSON object is needed.');
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof RangeError)) throw cause;
    const position = /position (\d+)/.exec(cause.message)?.[1];
    const where = position === undefined ? '' : ` It breaks at character ${position}.`;
    throw new PredictionError('BODY_UNPARSEABLE', `The body is not valid JSON.${where}`);
  }
}

function decodeUtf8(body: Buffer): string {
  // Most bodies are plain ASCII, which is read ten times as fast.
  if (isAscii(body)) return body.toString('latin1');
  if (!isUtf8(body)) throw new PredictionError('BODY_UNPARSEABLE', 'The body is not valid UTF-8.');
  return body.toString('utf8');
}

function refuseUnlessJson(request: IncomingMessage): void {
  const type = parseMediaType(request.headers['content-type'] ?? '');
  const json =
    type?.type === 'application/fhir+json' || type?.type === 'application/json' || type?.type === 'text/json';
  const charset = type?.parameters.charset?.toLowerCase() ?? 'utf-8';
  const version = type?.parameters.fhirversion ?? '4.0';
  if (!json || (charset !== 'utf-8' && charset !== 'utf8') || (version !== '4.0' && version !== '4.0.1')) {
    throw unsupported(request, 'application/fhir+json or application/json, in UTF-8 and fhirVersion 4.0');
  }
}

function refuseEncoding(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return;
  discardRest(request);
  throw new PredictionError(
    'CONTENT_TYPE_UNSUPPORTED',
    'A compressed body is not supported: send it without Content-Encoding.',
  );
}

function unsupported(request: IncomingMessage, allowed: string): PredictionError {
  discardRest(request);
  const given = request.headers['content-type'];
  const what =
    given === undefined ? 'The request has no Content-Type' : `Content-Type '${given.slice(0, 80)}' is not supported`;
  return new PredictionError('CONTENT_TYPE_UNSUPPORTED', `${what}; the body must be ${allowed}.`);
}

function tooLarge(request: IncomingMessage, maxBytes: number): PredictionError {
  discardRest(request);
  const limit = maxBytes >= 1_000_000 ? `${maxBytes / 1_000_000} MB` : `${maxBytes} bytes`;
  return new PredictionError(
    'BODY_TOO_LARGE',
    `The body is larger than ${limit}: send less at once, or have MAX_BODY_MB raised.`,
  );
}

function discardRest(request: IncomingMessage): void {
  request.resume();
  const timer = setTimeout(() => request.destroy(), discardMs);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}
