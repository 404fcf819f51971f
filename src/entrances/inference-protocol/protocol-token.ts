import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { RequestHandler } from 'express';
import { PredictionError } from '../../platform/errors.ts';

/** What is shorter can be guessed. */
const leastLength = 16;

/**
 * The token of INFERENCE_PROTOCOL_TOKEN_FILE; undefined where the entrance is off.
 * Throws CONFIG_INVALID where it is on without a token that serves.
 */
export async function readProtocolToken(settings: {
  readonly inferenceProtocol: 'on' | 'off';
  readonly inferenceProtocolTokenFile?: string;
}): Promise<string | undefined> {
  if (settings.inferenceProtocol === 'off') return undefined;
  const { inferenceProtocolTokenFile: file } = settings;
  if (file === undefined) {
    throw new PredictionError(
      'CONFIG_INVALID',
      'INFERENCE_PROTOCOL is on without INFERENCE_PROTOCOL_TOKEN_FILE: tensors are answered past every rule about eligibility, units and abstention, so every call must show a token. Name a file that holds one.',
    );
  }
  const token = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    (cause: unknown) => {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
      throw new PredictionError(
        'CONFIG_INVALID',
        `INFERENCE_PROTOCOL_TOKEN_FILE ${file} cannot be read (${code}). Name a file this user may read.`,
        { cause },
      );
    },
  );
  if (token.length >= leastLength && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new PredictionError(
    'CONFIG_INVALID',
    `INFERENCE_PROTOCOL_TOKEN_FILE ${file} must hold one token of at least ${leastLength} characters, on one line and without spaces; \`openssl rand -hex 32\` makes one.`,
  );
}

/** Lets through who shows the token as `Authorization: Bearer …`. How long it takes says nothing about the token. */
export function requireToken(token: string): RequestHandler {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (request, response, next) => {
    const [, shown = ''] = /^Bearer +(\S+)$/i.exec(request.get('Authorization') ?? '') ?? [];
    if (timingSafeEqual(digest(shown), expected)) return next();
    response.setHeader('WWW-Authenticate', 'Bearer realm="fhirsight inference protocol"');
    throw new PredictionError(
      'UNAUTHENTICATED',
      'This needs the token of the inference protocol: send it as Authorization: Bearer …',
    );
  };
}
