import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Credentials } from '../fhir/client/get-resource.ts';
import { readAdminToken } from '../platform/admin-token.ts';
import type { Config } from '../platform/config.ts';
import { readLock } from '../platform/data-dir-lock.ts';
import { PredictionError } from '../platform/errors.ts';
import type { AllowedServer } from '../platform/outbound/allowed-origins.ts';
import { createOutbound } from '../platform/outbound/create-outbound.ts';
import { otherCertificate } from '../platform/outbound/pinned-connector.ts';

/** The server that these settings are of, on this machine. */
export interface RunningServer {
  /** Its root, without a trailing slash. */
  readonly url: string;
  /** What may be connected to: over TLS only who shows the certificate of TLS_CERT_FILE, whichever name that is for. */
  readonly allowed: AllowedServer;
  /** Asks it, at a URL below its root. Throws DATABASE_UNAVAILABLE where it does not answer. */
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
}

/** A command waits as long for a reload of large models, and takes as much of feedback. */
const longestAnswerMs = 600_000;
const largestAnswerBytes = 1_000_000_000;

/**
 * The server that holds the data directory, or undefined where none does.
 * Throws DATA_DIR_LOCKED where a process holds it that serves nothing yet.
 */
export async function runningServer(config: Config): Promise<RunningServer | undefined> {
  const holder = await readLock(config.dataDir);
  if (holder === undefined) return undefined;
  if (holder.url !== undefined) return await ownServer(config, holder.url);
  throw new PredictionError(
    'DATA_DIR_LOCKED',
    `The data directory ${config.dataDir} is held by process ${holder.pid} on ${holder.host}, which serves nothing yet. Try again when it is ready.`,
  );
}

/**
 * The server with these settings at the URL that it listens on. Throws CONFIG_INVALID where its certificate cannot be read.
 * @param listensOn may name every address of this machine
 */
export async function ownServer(config: Pick<Config, 'tlsCertFile'>, listensOn: string): Promise<RunningServer> {
  const url = localUrl(listensOn);
  const isSecure = url.startsWith('https:') && config.tlsCertFile !== undefined;
  const certificate = isSecure ? await readCertificate(config.tlsCertFile) : undefined;
  const allowed = { url, purpose: 'own server', reach: 'private', certificate } as const;
  const outbound = createOutbound({
    allowed: [allowed],
    event: () => undefined, // the error says it
    fetchMaxBytes: largestAnswerBytes,
    fetchTimeoutMs: longestAnswerMs,
  });
  return {
    url,
    allowed,
    fetch: (asked, init) =>
      outbound.fetch(asked, init).catch((cause: unknown) => Promise.reject(unanswered(url, cause))),
  };
}

/**
 * What shows a running server that a command is one of its own user: nothing where this user may not read its token, which a server
 * with AUTH=none does not ask for.
 */
export async function commandHeaders(config: Config): Promise<Readonly<Record<string, string>>> {
  const token = await readAdminToken(config.dataDir);
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** The same for a client that reads many resources; undefined where this user may not read the token. */
export async function ownCredentials(config: Config): Promise<Credentials | undefined> {
  const { authorization } = await commandHeaders(config);
  // There is no other token to be had.
  return authorization === undefined
    ? undefined
    : { authorization: async () => authorization, refused: () => undefined };
}

/** Where this machine reaches a server that listens on every address. */
function localUrl(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

/** The first one of the file; those of its chain follow it. */
async function readCertificate(file: string): Promise<X509Certificate> {
  try {
    return new X509Certificate(await readFile(file));
  } catch (cause) {
    throw new PredictionError(
      'CONFIG_INVALID',
      `TLS_CERT_FILE ${file} cannot be read as a certificate, so that the running server cannot be told from another. Set it as for that server.`,
      { cause },
    );
  }
}

function unanswered(url: string, cause: unknown): PredictionError {
  const message = isOther(cause)
    ? `What answers at ${url} shows another certificate than that of TLS_CERT_FILE; nothing was sent to it. A renewed one counts after a minute: try again, or set TLS_CERT_FILE to the certificate that is in use.`
    : `The server at ${url} does not answer. Wait until it does, or stop it.`;
  return new PredictionError('DATABASE_UNAVAILABLE', message, { cause });
}

function isOther(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === otherCertificate;
}

/** Sends FHIR JSON to a running server, with more headers where needed. @returns status and body as they came. Throws DATABASE_UNAVAILABLE where it does not answer. */
export async function askServer(
  server: RunningServer,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; text: string }> {
  const response = await server.fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json', accept: 'application/fhir+json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}
