import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Request, RequestHandler } from 'express';
import { PredictionError } from '../platform/errors.ts';
import { requestContext } from './request-context.ts';

/** What is shorter can be guessed. */
const leastLength = 16;

/**
 * The token that a file of the settings holds.
 * @param setting its name, for messages
 * Throws CONFIG_INVALID where it cannot be read, or holds no token that serves.
 */
export async function readTokenFile(setting: string, file: string): Promise<string> {
  const token = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    (cause: unknown) => {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
      throw new PredictionError(
        'CONFIG_INVALID',
        `${setting} ${file} cannot be read (${code}). Name a file this user may read.`,
        { cause },
      );
    },
  );
  if (token.length >= leastLength && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new PredictionError(
    'CONFIG_INVALID',
    `${setting} ${file} must hold one token of at least ${leastLength} characters, on one line and without spaces; \`openssl rand -hex 32\` makes one.`,
  );
}

/** Whether a call shows a token as `Authorization: Bearer …`. How long it takes says nothing about the token. */
export function tokenChecker(token: string): (request: Request) => boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (request) => {
    const [, shown = ''] = /^Bearer +(\S+)$/i.exec(request.get('Authorization') ?? '') ?? [];
    return timingSafeEqual(digest(shown), expected);
  };
}

/**
 * Lets through who shows the token.
 * @param realm what it is for
 * @param message what the others are told
 */
export function requireToken(token: string, realm: string, message: string): RequestHandler {
  const isShown = tokenChecker(token);
  return (request, response, next) => {
    if (isShown(request)) return next();
    requestContext(response).onFailedProof?.(request.get('Authorization') === undefined ? 'no-token' : 'token');
    response.setHeader('WWW-Authenticate', `Bearer realm="${realm}"`);
    throw new PredictionError('UNAUTHENTICATED', message);
  };
}
