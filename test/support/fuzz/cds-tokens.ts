import type { TokenChanges } from '../cds-client.ts';
import type { CallerKeys } from './caller-keys.ts';
import type { Chance } from './chance.ts';
import { bearer, type Credential } from './credential.ts';
import { grantOf, nothing } from './grant.ts';

/** What is wrong with a token that is otherwise right for its call. */
const faults: Readonly<Record<string, (url: string, nowSeconds: number) => TokenChanges>> = {
  'another service': (url) => ({ claims: { aud: `${url}-2` } }),
  'no audience': () => ({ claims: { aud: undefined } }),
  'an expired call': (_url, now) => ({ claims: { iat: now - 900, exp: now - 120 } }),
  'a call of tomorrow': (_url, now) => ({ claims: { iat: now + 86_400, exp: now + 86_700 } }),
  'a call that lasts a day': (_url, now) => ({ claims: { exp: now + 86_400 } }),
  'no jti': () => ({ claims: { jti: undefined } }),
  'a jti without end': () => ({ claims: { jti: 'x'.repeat(300) } }),
  'an EHR that is not listed': () => ({ claims: { iss: 'https://ehr.attacker.example' } }),
  'a tenant where none is listed': () => ({ claims: { tenant: 'north' } }),
  'a jku that is not listed': () => ({ header: { jku: 'http://169.254.169.254/latest/meta-data' } }),
  'an unknown CDS key': () => ({ header: { kid: "' union select 'AA" } }),
  'the typ of an access token': () => ({ header: { typ: 'at+jwt' } }),
};

const replayed = 'a replayed CDS token';

/** Makes the tokens of CDS clients: each is for one call alone. */
export interface CdsTokens {
  readonly names: readonly string[];
  /** A new one for this path. */
  holding(path: string, chance: Chance): Promise<Credential>;
  notHolding(path: string, chance: Chance): Promise<Credential>;
  /** The server took a call to this path with this credential: from now on its token is used. */
  taken(path: string, credential: Credential): void;
}

/** @param origin by which clients know the server */
export function cdsTokens({ ehr, tenantEhr, strangerEhr }: CallerKeys, origin: string): CdsTokens {
  /** The last one by path. */
  const used = new Map<string, Credential>();
  const names = [...Object.keys(faults), 'a CDS token of a stranger', replayed];
  return {
    names,
    async holding(path, chance) {
      const client = chance.is(0.7) ? ehr : tenantEhr;
      const name = client === ehr ? 'a CDS token' : 'a CDS token of a tenant';
      const grant = grantOf([], { invokes: path, holds: false });
      return bearer(name, await client.token(`${origin}${path}`), grant);
    },
    async notHolding(path, chance) {
      const name = chance.is(0.2) ? replayed : chance.of(names);
      const url = `${origin}${path}`;
      if (name === 'a CDS token of a stranger') return bearer(name, await strangerEhr.token(url), nothing);
      if (name === replayed) {
        const before = used.get(path);
        return before === undefined ? this.notHolding(path, chance) : { ...before, name, grant: nothing };
      }
      const changes = faults[name]?.(url, Math.floor(Date.now() / 1_000));
      return bearer(name, await ehr.token(url, changes), nothing);
    },
    taken(path, credential) {
      if (credential.grant.invokes === path) used.set(path, credential);
    },
  };
}
