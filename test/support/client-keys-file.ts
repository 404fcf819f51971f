import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';

/** A new private key as a JWK. */
export async function privateJwk(algorithm: 'RS384' | 'ES384' | 'ES256', kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid };
}

/** Writes a JWK Set into a folder of its own. @returns the file */
export function keysFile(...keys: readonly JWK[]): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'fhirsight-keys-')), 'keys.json');
  writeFileSync(file, JSON.stringify({ keys }), { mode: 0o600 });
  return file;
}
