import { readAdminToken } from '../platform/admin-token.ts';
import type { Config } from '../platform/config.ts';
import { readLock } from '../platform/data-dir-lock.ts';
import { PredictionError } from '../platform/errors.ts';

/**
 * The URL of the server that holds the data directory, or undefined where none does.
 * Throws DATA_DIR_LOCKED where a process holds it that serves nothing yet.
 */
export async function runningServer(config: Config): Promise<string | undefined> {
  const holder = await readLock(config.dataDir);
  if (holder === undefined) return undefined;
  if (holder.url !== undefined) return localUrl(holder.url);
  throw new PredictionError(
    'DATA_DIR_LOCKED',
    `The data directory ${config.dataDir} is held by process ${holder.pid} on ${holder.host}, which serves nothing yet. Try again when it is ready.`,
  );
}

/**
 * What shows a running server that a command is one of its own user: nothing where this user may not read its token, which a server
 * with AUTH=none does not ask for.
 */
export async function commandHeaders(config: Config): Promise<Readonly<Record<string, string>>> {
  const token = await readAdminToken(config.dataDir);
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** Where this machine reaches a server that listens on every address. */
function localUrl(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

/** Sends FHIR JSON to a running server, with more headers where needed. @returns status and body as they came. Throws DATABASE_UNAVAILABLE where it does not answer. */
export async function askServer(
  url: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json', accept: 'application/fhir+json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    throw new PredictionError(
      'DATABASE_UNAVAILABLE',
      `The server at ${url} holds the data directory but does not answer. Wait for it, or stop it.`,
      { cause },
    );
  }
}
