import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../platform/clock.ts';
import { PredictionError } from '../platform/errors.ts';
import type { LogEvent } from '../platform/events.ts';
import { connectionLimits, limitConnections, limitedServerOptions } from './connection-limits.ts';

/** Files in PEM: the certificate with those of its chain, and its private key. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsServer {
  readonly server: Server;
  /**
   * Reads the files again. A new pair counts for connections from then on, and those that are open stay; a pair that cannot be used is an
   * event, and the old one goes on.
   */
  renew(): Promise<void>;
}

interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly notAfter: string;
}

/** TLS 1.0 and 1.1 are withdrawn (RFC 8996). */
const minVersion = 'TLSv1.2';

/** An HTTPS server. Throws CONFIG_INVALID where the files cannot be used. */
export async function createTlsServer(
  files: TlsFiles,
  handler: Parameters<typeof createServer>[1],
  { clock, event }: { readonly clock: Clock; readonly event: (event: LogEvent) => void },
): Promise<TlsServer> {
  let current = await readPair(files, clock.now());
  const { cert, key } = current;
  const server = createServer({ ...limitedServerOptions(connectionLimits), cert, key, minVersion }, handler);
  limitConnections(server, connectionLimits);
  return {
    server,
    async renew() {
      try {
        const next = await readPair(files, clock.now());
        if (next.cert === current.cert && next.key === current.key) return;
        server.setSecureContext({ cert: next.cert, key: next.key, minVersion });
        current = next;
        event({ name: 'tls.renewed', notAfter: next.notAfter });
      } catch (error) {
        event({ name: 'tls.renewal-failed', notAfter: current.notAfter, error });
      }
    },
  };
}

async function readPair({ certFile, keyFile }: TlsFiles, now: Date): Promise<Pair> {
  const [cert, key] = await Promise.all([read('TLS_CERT_FILE', certFile), read('TLS_KEY_FILE', keyFile)]);
  let notAfter: Date;
  try {
    createSecureContext({ cert, key, minVersion });
    notAfter = new Date(new X509Certificate(cert).validTo);
  } catch {
    // What OpenSSL says of a key is for nobody's log.
    throw new PredictionError(
      'CONFIG_INVALID',
      `TLS_CERT_FILE ${certFile} and TLS_KEY_FILE ${keyFile} are no certificate and its private key. Give both in PEM, the key without a passphrase.`,
    );
  }
  if (notAfter.getTime() <= now.getTime()) {
    throw new PredictionError(
      'CONFIG_INVALID',
      `The certificate of TLS_CERT_FILE ${certFile} ended at ${notAfter.toISOString()}. Renew it.`,
    );
  }
  return { cert, key, notAfter: notAfter.toISOString() };
}

async function read(setting: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new PredictionError(
      'CONFIG_INVALID',
      `${setting} ${file} cannot be read (${code}). Name a file this user may read.`,
      { cause },
    );
  }
}
