import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { headerLengthName } from '../../model-catalog/inference-protocol/frame.ts';
import { PredictionError } from '../../platform/errors.ts';
import { unlessAborted } from '../../platform/unless-aborted.ts';
import type { RemoteEngineSettings } from '../engines-schema.ts';
import { connectionWords } from './connection-words.ts';

export interface ProtocolCall {
  readonly method: 'GET' | 'POST';
  /** Below the engine's URL, beginning with `/v2`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** An answer of whatever status, complete. */
export interface ProtocolAnswer {
  readonly status: number;
  /** In lower case, without parameters; empty where there is none. */
  readonly mediaType: string;
  readonly headerLength?: string;
  readonly retryAfterSeconds?: number;
  readonly body: Buffer;
}

/** Talks to one server; it never follows a redirect, so that no other URL is asked than the file lists. */
export interface ProtocolClient {
  /**
   * Repeats the call where it got no answer or one of a gateway (502, 503, 504): an inference changes nothing there.
   * Throws ENGINE_UNAVAILABLE where no complete answer came within `timeoutMs`.
   */
  call(call: ProtocolCall): Promise<ProtocolAnswer>;
  /** Abandons what is under way. */
  close(): Promise<void>;
}

/** How one attempt ended. */
type Attempt =
  | { readonly kind: 'answered'; readonly answer: ProtocolAnswer }
  | { readonly kind: 'failed'; readonly reason: string; readonly cause?: unknown; readonly again: boolean };

const firstPauseMs = 50;
const longestCloseMs = 2_000;

/** @param name of the engine in ENGINES_FILE */
export function createProtocolClient(name: string, settings: RemoteEngineSettings): ProtocolClient {
  const { url, timeoutMs, attempts } = settings;
  const dispatcher = new Agent({
    connections: settings.connections,
    connect: { timeout: timeoutMs },
    // Connections that the server closes while they are idle are the usual reason for a reset.
    keepAliveTimeout: 2_000,
  });
  return {
    async call(call) {
      const ends = AbortSignal.timeout(timeoutMs);
      for (let attempt = 1; ; attempt++) {
        const tried = await attemptOnce(settings, dispatcher, call, ends);
        const last = attempt >= attempts || ends.aborted;
        if (tried.kind === 'answered' && (last || !isGateway(tried.answer))) return tried.answer;
        if (tried.kind === 'failed' && (last || !tried.again)) {
          const reason = ends.aborted ? `gave no complete answer within ${timeoutMs} ms` : tried.reason;
          throw new PredictionError('ENGINE_UNAVAILABLE', `Engine ${name} (${url}) ${reason}.`, { cause: tried.cause });
        }
        await pause(firstPauseMs * attempt, undefined, { signal: ends }).catch(() => undefined); // the next attempt says it
      }
    },
    async close() {
      const closed = dispatcher.destroy();
      await Promise.race([closed, pause(longestCloseMs, undefined, { ref: false })]);
    },
  };
}

/** Never rejects. */
async function attemptOnce(
  settings: RemoteEngineSettings,
  dispatcher: Agent,
  call: ProtocolCall,
  ends: AbortSignal,
): Promise<Attempt> {
  const authorization = settings.tokenFile === undefined ? undefined : await bearer(settings.tokenFile);
  if (typeof authorization === 'object') return authorization;
  try {
    return await unlessAborted(ends, answerTo(settings, dispatcher, call, authorization, ends));
  } catch (cause) {
    return { kind: 'failed', reason: connectionWords(cause), cause, again: true };
  }
}

async function answerTo(
  { url, maxAnswerMb }: RemoteEngineSettings,
  dispatcher: Agent,
  { method, path, headers, body }: ProtocolCall,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<Attempt> {
  const response = await request(`${url}${path}`, {
    method,
    dispatcher,
    signal,
    headersTimeout: 0,
    bodyTimeout: 0,
    headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
    ...(body === undefined ? {} : { body }),
  });
  const header = (name: string): string | undefined => [response.headers[name.toLowerCase()]].flat()[0];
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerMb * 1_000_000) {
      return { kind: 'failed', reason: `answered more than ${maxAnswerMb} MB (maxAnswerMb)`, again: false };
    }
    chunks.push(chunk);
  }
  const headerLength = header(headerLengthName);
  const retryAfter = header('retry-after');
  return {
    kind: 'answered',
    answer: {
      status: response.statusCode,
      mediaType: (header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '',
      body: Buffer.concat(chunks, bytes),
      ...(headerLength === undefined ? {} : { headerLength }),
      ...(retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? { retryAfterSeconds: Number(retryAfter) } : {}),
    },
  };
}

/** A server that says when to come back is believed: it is not asked again before. */
function isGateway({ status, retryAfterSeconds }: ProtocolAnswer): boolean {
  return (status === 502 || status === 503 || status === 504) && (retryAfterSeconds ?? 0) === 0;
}

/** Read at each use, so that a token can be renewed beside the running server. */
async function bearer(file: string): Promise<string | Extract<Attempt, { kind: 'failed' }>> {
  const failed = (reason: string) => ({ kind: 'failed', reason, again: false }) as const;
  try {
    const token = (await readFile(file, 'utf8')).trim();
    if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`;
    return failed('is not asked: its tokenFile must hold one bearer token, on one line and without spaces');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return failed(`is not asked: its tokenFile cannot be read (${code})`);
  }
}
