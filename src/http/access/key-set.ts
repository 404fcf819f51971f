import { createLocalJWKSet, type JWK, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../../platform/clock.ts';

/** The public keys of one issuer, as they are now. */
export interface KeySet {
  /**
   * The one key of this `kid` that fits the algorithm of the header.
   * @throws NoSuchKey where there is none, or several; KeysUnreachable where the keys are too old and no newer ones can be had
   */
  readonly keyFor: JWTVerifyGetKey;
}

export class NoSuchKey extends Error {
  override readonly name = 'NoSuchKey';
}

export class KeysUnreachable extends Error {
  override readonly name = 'KeysUnreachable';
}

interface Loaded {
  readonly keys: readonly JWK[];
  readonly find: JWTVerifyGetKey;
  readonly loadedMs: number;
}

/** A key that its owner has removed is believed for so long at most. */
export const longestKeyAgeMs = 10 * 60_000;
/** Keys are not asked for more often, whoever names keys that do not exist, and whether they could be had or not. */
export const keyCoolDownMs = 30_000;

/**
 * Keeps a key set and loads it again when it is old, or a token names a key that it does not have (a rotation).
 * Several that wait for it wait for one loading.
 * @param load gives the parsed JSON of a JWKS
 */
export function createKeySet(load: () => Promise<unknown>, clock: Clock): KeySet {
  let loaded: Loaded | undefined;
  let triedMs = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;

  const loadNow = async (): Promise<void> => {
    triedMs = clock.now().getTime();
    try {
      const keys = publicKeysOf(await load());
      loaded = { keys, find: createLocalJWKSet({ keys: [...keys] }), loadedMs: triedMs };
    } finally {
      loading = undefined;
    }
  };
  const isCool = (): boolean => Math.abs(clock.now().getTime() - triedMs) >= keyCoolDownMs;
  /** @throws what `load` throws */
  const reload = (): Promise<void> => {
    loading ??= loadNow();
    return loading;
  };
  const current = (): Loaded | undefined =>
    loaded !== undefined && Math.abs(clock.now().getTime() - loaded.loadedMs) < longestKeyAgeMs ? loaded : undefined;
  const currentKeys = async (): Promise<Loaded> => {
    if (current() === undefined && (loading !== undefined || isCool())) {
      await reload().catch((cause: unknown) => {
        throw new KeysUnreachable('The keys cannot be had.', { cause });
      });
    }
    const keys = current();
    if (keys === undefined) throw new KeysUnreachable('The keys could not be had a moment ago.');
    return keys;
  };

  return {
    async keyFor(header, token) {
      let known = await currentKeys();
      if (countOf(known, header.kid) === 0 && (loading !== undefined || isCool())) {
        // The keys that are here are still good for others.
        await reload().catch((cause: unknown) => {
          throw new KeysUnreachable('A key is not known, and newer keys cannot be had.', { cause });
        });
        known = await currentKeys();
      }
      if (countOf(known, header.kid) !== 1) throw new NoSuchKey('Not exactly one key has this kid.');
      try {
        return await known.find(header, token);
      } catch (cause) {
        throw new NoSuchKey('The key of this kid is not one for the algorithm.', { cause });
      }
    },
  };
}

function countOf({ keys }: Loaded, kid: string | undefined): number {
  return keys.filter((key) => key.kid === kid).length;
}

/** Members that only a private or a shared key has. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/**
 * The keys of a JWKS that can check a signature. Keys of another kind are left out, as the specification asks (RFC 7517, 5); one
 * whose private half is there for everybody to read proves nothing, and is left out too.
 * @throws TypeError where it is no JWKS
 */
export function publicKeysOf(value: unknown): readonly JWK[] {
  const keys = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  if (!Array.isArray(keys) || keys.length > longestKeySet) {
    throw new TypeError(`A JWKS is {"keys": [...]} with at most ${longestKeySet} keys.`);
  }
  return keys.filter((key): key is JWK => {
    if (typeof key !== 'object' || key === null) return false;
    const { kty, kid } = key as JWK;
    return (kty === 'EC' || kty === 'RSA') && typeof kid === 'string' && !privateMembers.some((name) => name in key);
  });
}

const longestKeySet = 100;
