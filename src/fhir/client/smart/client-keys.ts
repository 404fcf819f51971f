import { readFile } from 'node:fs/promises';
import { type CryptoKey, importJWK, type JWK } from 'jose';
import { PredictionError } from '../../../platform/errors.ts';

/** Both that SMART asks of a client (SM-2). */
export type ClientAlgorithm = 'RS384' | 'ES384';

export interface SigningKey {
  readonly key: CryptoKey;
  readonly kid: string;
  readonly algorithm: ClientAlgorithm;
}

/** The keys by which this server proves who it is to other servers. */
export interface ClientKeys {
  /** Those that sign, in the order of the file: the first that the other server takes is used. */
  readonly signing: readonly [SigningKey, ...SigningKey[]];
  /** What others verify with: every key of the file, without its private part. */
  readonly published: { readonly keys: readonly JWK[] };
}

/** RFC 7518, sections 6.2.1 and 6.3.1. */
const publicMembers = ['kty', 'kid', 'n', 'e', 'crv', 'x', 'y'] as const;
const leastModulusBytes = 256;

/**
 * Reads FHIR_CLIENT_KEYS_FILE, a JWK Set: `RSA` keys of 2,048 bits and more sign as RS384, `EC` keys on P-384 as ES384. A key without its
 * private part is published only. Throws CONFIG_INVALID with what is wrong, and never with a part of a key.
 */
export async function readClientKeys(file: string): Promise<ClientKeys> {
  const fault = (what: string): PredictionError =>
    new PredictionError(
      'CONFIG_INVALID',
      `FHIR_CLIENT_KEYS_FILE ${file} ${what}. docs/registering.md shows how to make one.`,
    );
  const keys = await readKeys(file, fault);
  const signing: SigningKey[] = [];
  const published: JWK[] = [];
  for (const [index, jwk] of keys.entries()) {
    const at = `has at /keys/${index}`;
    const { kid } = jwk;
    if (typeof kid !== 'string' || kid === '') throw fault(`${at} a key without kid`);
    if (published.some((other) => other.kid === kid)) throw fault(`${at} a kid that another key has`);
    const algorithm = algorithmOf(jwk);
    if (algorithm === undefined || (jwk.alg !== undefined && jwk.alg !== algorithm)) {
      throw fault(`${at} a key that is neither RSA of 2048 bits or more for RS384 nor EC on P-384 for ES384`);
    }
    published.push({ ...publicPart(jwk), use: 'sig', alg: algorithm });
    if (jwk.d === undefined) continue;
    try {
      signing.push({ key: (await importJWK(jwk, algorithm)) as CryptoKey, kid, algorithm });
    } catch {
      throw fault(`${at} a key that cannot be read`); // the cause may quote it
    }
  }
  const [first, ...others] = signing;
  if (first === undefined) throw fault('has no private key');
  return { signing: [first, ...others], published: { keys: published } };
}

async function readKeys(file: string, fault: (what: string) => PredictionError): Promise<JWK[]> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    const keys = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
    if (Array.isArray(keys) && keys.length > 0 && keys.every((key) => typeof key === 'object' && key !== null))
      return keys;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code !== undefined) throw fault(`cannot be read (${code})`);
  }
  throw fault('is no JWK Set: {"keys": [...]}');
}

function algorithmOf({ kty, crv, n }: JWK): ClientAlgorithm | undefined {
  if (kty === 'EC' && crv === 'P-384') return 'ES384';
  if (kty !== 'RSA' || typeof n !== 'string') return undefined;
  return Buffer.from(n, 'base64url').length >= leastModulusBytes ? 'RS384' : undefined;
}

function publicPart(jwk: JWK): JWK {
  return Object.fromEntries(
    publicMembers.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]]])),
  ) as unknown as JWK;
}
