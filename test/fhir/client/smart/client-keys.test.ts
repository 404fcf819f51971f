import { writeFileSync } from 'node:fs';
import type { JWK } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { readClientKeys } from '../../../../src/fhir/client/smart/client-keys.ts';
import { keysFile, privateJwk } from '../../../support/client-keys-file.ts';

let rsa: JWK;
let ec: JWK;
beforeAll(async () => {
  [rsa, ec] = await Promise.all([privateJwk('RS384', 'rsa-1'), privateJwk('ES384', 'ec-1')]);
});

test('SM-2: keys for RS384 and ES384 sign, and are published without their private parts', async () => {
  const { signing, published } = await readClientKeys(keysFile(ec, rsa));
  expect(signing.map(({ kid, algorithm }) => [kid, algorithm])).toEqual([
    ['ec-1', 'ES384'],
    ['rsa-1', 'RS384'],
  ]);
  expect(published.keys).toEqual([
    { kty: 'EC', kid: 'ec-1', crv: 'P-384', x: ec.x, y: ec.y, use: 'sig', alg: 'ES384' },
    { kty: 'RSA', kid: 'rsa-1', n: rsa.n, e: rsa.e, use: 'sig', alg: 'RS384' },
  ]);
});

test('a key without its private part is published and does not sign: it is to come, or goes', async () => {
  const { kty = '', x = '', y = '', crv = '' } = await privateJwk('ES384', 'old');
  const { signing, published } = await readClientKeys(keysFile(ec, { kty, x, y, crv, kid: 'old' }));
  expect(signing.map(({ kid }) => kid)).toEqual(['ec-1']);
  expect(published.keys.map(({ kid }) => kid)).toEqual(['ec-1', 'old']);
});

test.each<[string, () => Promise<JWK[]> | JWK[], string]>([
  ['no key', () => [], 'is no JWK Set'],
  ['a key without kid', () => [{ ...ec, kid: undefined } as unknown as JWK], 'without kid'],
  ['two keys of one kid', () => [ec, { ...rsa, kid: 'ec-1' }], 'a kid that another key has'],
  ['a key on another curve', async () => [await privateJwk('ES256', 'p256')], 'neither RSA'],
  ['a short RSA key', () => [{ ...rsa, n: (rsa.n ?? '').slice(0, 170) }], 'neither RSA'],
  ['a key for another algorithm', () => [{ ...rsa, alg: 'RS256' }], 'neither RSA'],
  ['a broken key', () => [{ ...ec, d: 'AAAA' }], 'cannot be read'],
  ['no private key', () => [{ ...ec, d: undefined } as unknown as JWK], 'no private key'],
])('a file with %s is refused, and no part of a key is repeated', async (_, keys, said) => {
  const error = await readClientKeys(keysFile(...(await keys()))).catch((caught: unknown) => caught as Error);
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(said) });
  const shown = `${(error as Error).message}${JSON.stringify(error)}`;
  expect(shown).not.toContain(String(ec.d));
  expect(shown).not.toContain(String(rsa.d));
});

test('a file that is not there or no JSON is refused', async () => {
  await expect(readClientKeys('/nowhere/keys.json')).rejects.toThrow('cannot be read (ENOENT)');
  const file = keysFile(ec);
  writeFileSync(file, '{');
  await expect(readClientKeys(file)).rejects.toThrow('is no JWK Set');
});
