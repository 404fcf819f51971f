import { describe, expect, test } from 'vitest';
import {
  createKeySet,
  KeysUnreachable,
  keyCoolDownMs,
  longestKeyAgeMs,
  NoSuchKey,
  publicKeysOf,
} from '../../../src/http/access/key-set.ts';
import { createCdsClient } from '../../support/cds-client.ts';
import { createVirtualTime } from '../../support/virtual-time.ts';

/** A key set of a client whose server can be down, and how often it was asked. */
async function keptKeys() {
  const time = createVirtualTime();
  const client = await createCdsClient();
  const state = { loads: 0, isDown: false };
  const load = async (): Promise<unknown> => {
    state.loads += 1;
    if (state.isDown) throw new Error('connection refused');
    return client.keySet();
  };
  const keys = createKeySet(load, time.clock);
  const find = (kid = client.keySet().keys.at(-1)?.kid, alg: string = client.alg) =>
    keys.keyFor({ alg, ...(kid === undefined ? {} : { kid }) }, { payload: '', signature: '' });
  return { time, client, state, find };
}

describe('a key set', () => {
  test('is loaded once for all that wait for it, and not before the first', async () => {
    const { state, find } = await keptKeys();
    expect(state.loads).toBe(0);
    await Promise.all(Array.from({ length: 20 }, () => find()));
    await find();
    expect(state.loads).toBe(1);
  });

  test('CDS-61: is loaded again for a key that is new', async () => {
    const { time, client, state, find } = await keptKeys();
    await find();
    const old = client.keySet().keys[0]?.kid;
    await client.rotate(true);
    await time.advance(keyCoolDownMs);
    await Promise.all([find(), find()]);
    await find(old);
    expect(state.loads).toBe(2);
  });

  test('is not loaded for every key that somebody makes up, nor while it cannot be had', async () => {
    const { time, state, find } = await keptKeys();
    await find();
    await time.advance(keyCoolDownMs);
    for (let made = 0; made < 50; made++) await expect(find(`made-up-${made}`)).rejects.toThrow(NoSuchKey);
    expect(state.loads).toBe(2);
    state.isDown = true;
    await time.advance(longestKeyAgeMs);
    for (let tried = 0; tried < 50; tried++) await expect(find()).rejects.toThrow(KeysUnreachable);
    expect(state.loads).toBe(3);
    state.isDown = false;
    await time.advance(keyCoolDownMs);
    await find();
  });

  test('CDS-65: a key that its owner removed is believed for ten minutes at most, also where the key set is down', async () => {
    const { time, client, state, find } = await keptKeys();
    await find();
    const removed = client.keySet().keys[0]?.kid;
    await client.rotate(false);
    await time.advance(longestKeyAgeMs - 1);
    await find(removed);
    await time.advance(1);
    await expect(find(removed)).rejects.toThrow(NoSuchKey);
    await find();
    state.isDown = true;
    await time.advance(longestKeyAgeMs);
    await expect(find()).rejects.toThrow(KeysUnreachable);
  });

  test('a key that is not known while the key set is down takes nothing from those that are', async () => {
    const { time, state, find } = await keptKeys();
    await find();
    state.isDown = true;
    await time.advance(keyCoolDownMs);
    await expect(find('other')).rejects.toThrow(KeysUnreachable);
    await find();
  });

  test('CDS-64: a key is one for its algorithm only', async () => {
    const { find } = await keptKeys();
    for (const alg of ['RS384', 'ES256', 'HS256', 'none'])
      await expect(find(undefined, alg), alg).rejects.toThrow(NoSuchKey);
  });
});

describe('the public keys of a JWKS', () => {
  const rsa = { kty: 'RSA', kid: 'a', n: 'AQAB', e: 'AQAB' };

  test('leave out what is no public key for signatures: shared, private, without kid, of an unknown kind', () => {
    const others = [
      { kty: 'oct', kid: 'b', k: 'c2VjcmV0' },
      { ...rsa, d: 'AQAB' },
      { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
      { kty: 'unheard-of', kid: 'c' },
      null,
      'key',
    ];
    expect(publicKeysOf({ keys: [...others, rsa] })).toEqual([rsa]);
  });

  test.each([null, [], {}, { keys: {} }, { keys: Array.from({ length: 101 }, () => rsa) }, 'keys'])(
    'are none in %j',
    (value) => {
      expect(() => publicKeysOf(value)).toThrow(/A JWKS is/);
    },
  );
});
