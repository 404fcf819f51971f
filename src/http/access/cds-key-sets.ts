import { readFile } from 'node:fs/promises';
import type { Clock } from '../../platform/clock.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { CdsClientSettings } from './cds-client-section.ts';
import { createKeySet, type KeySet, publicKeysOf } from './key-set.ts';
import type { KnownCdsClient } from './verify-cds-token.ts';

/**
 * The clients by issuer, with the keys of each. URLs are asked for the first token that needs them; a keysFile is read
 * now, so that a bad one is said at once, and again when it is old or a key is not found in it.
 * @param fetch reaches no other than the declared URLs
 * Throws CONFIG_INVALID where a keysFile holds no key that can verify.
 */
export async function openCdsClients(
  clients: readonly CdsClientSettings[],
  { fetch, clock }: { readonly fetch: typeof globalThis.fetch; readonly clock: Clock },
): Promise<ReadonlyMap<string, KnownCdsClient>> {
  const opened = new Map<string, KnownCdsClient>();
  for (const client of clients) {
    const { keysFile, jku = [] } = client;
    if (keysFile !== undefined) await checkKeysFile(client.name, keysFile);
    const keysByUrl = new Map(jku.map((url) => [url, createKeySet(() => fetchKeys(fetch, url), clock)] as const));
    const only: KeySet | undefined =
      keysFile === undefined
        ? [...keysByUrl.values()].find(() => keysByUrl.size === 1)
        : createKeySet(() => readKeys(keysFile), clock);
    opened.set(client.issuer, { client, keysByUrl, ...(only === undefined ? {} : { keys: only }) });
  }
  return opened;
}

async function fetchKeys(fetch: typeof globalThis.fetch, url: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(keysTimeoutMs),
  });
  if (response.status !== 200) throw new Error(`The key set answered ${response.status}.`);
  return response.json();
}

async function readKeys(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8'));
}

async function checkKeysFile(name: string, file: string): Promise<void> {
  const told = `ACCESS_FILE: keysFile ${file} of the CDS client ${name}`;
  let count = 0;
  try {
    count = publicKeysOf(await readKeys(file)).length;
  } catch (cause) {
    throw new PredictionError('CONFIG_INVALID', `${told} cannot be read as a JWKS. Name a file with {"keys": [...]}.`, {
      cause,
    });
  }
  if (count > 0) return;
  throw new PredictionError(
    'CONFIG_INVALID',
    `${told} holds no public key (RSA or EC) with a kid. Put the client's public keys into it, never a private one.`,
  );
}

/** A hook has half a second; who waits for keys waits once. */
const keysTimeoutMs = 5_000;
