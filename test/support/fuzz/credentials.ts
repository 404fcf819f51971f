import { accessTokensThatDoNot, accessTokensThatHold, ownToken, withOtherSign } from './access-tokens.ts';
import type { CallerKeys } from './caller-keys.ts';
import { cdsTokens } from './cds-tokens.ts';
import { chanceOf } from './chance.ts';
import type { Credential } from './credential.ts';
import type { FuzzCall, FuzzTokens } from './fuzz-call.ts';
import { pathOf } from './letting-fault.ts';

/** What the calls of a run show of themselves. */
export interface Credentials {
  /** Those of which each run has to send some. */
  readonly holding: readonly Credential[];
  readonly notHolding: readonly string[];
  /** What the call of this seed shows; a CDS token is made for its path. */
  choose(seed: number, call: FuzzCall): Promise<Credential>;
  /** The server took the call. */
  taken(call: FuzzCall, credential: Credential): void;
}

/** @param server with its origin and its FHIR base, for which tokens are made */
export async function openCredentials(
  keys: CallerKeys,
  server: { readonly url: string; readonly fhir: string },
  tokens: FuzzTokens,
): Promise<Credentials> {
  const access = await accessTokensThatHold(keys, server.fhir);
  const holding = [
    ...access,
    ownToken('the token of the administrator', tokens.admin, 'admin'),
    ownToken('the token of the inference protocol', tokens.protocol, 'protocol'),
  ];
  const jwts = access.filter(({ authorization = '' }) => authorization.split('.').length === 3);
  const notHolding = await accessTokensThatDoNot(keys, server.fhir);
  const cds = cdsTokens(keys, server.url);
  return {
    holding,
    notHolding: [...notHolding.map(({ name }) => name), ...cds.names],
    async choose(seed, { route, target }) {
      const chance = chanceOf(seed ^ 0xa11ce);
      const path = pathOf(target);
      const isCds = route.startsWith('/cds-services');
      if (chance.is(isCds ? 0.5 : 0.03)) return cds.holding(path, chance);
      if (chance.is(isCds ? 0.5 : 0.03)) return cds.notHolding(path, chance);
      if (chance.is(0.15)) return chance.of(notHolding);
      if (chance.is(0.08)) return withOtherSign(chance.of(jwts), chance.whole(1_000_000));
      // Whoever may do most gets furthest into the server.
      return chance.is(0.3) ? chance.of(holding.slice(0, 2)) : chance.of(holding);
    },
    taken: ({ target }, credential) => cds.taken(pathOf(target), credential),
  };
}

/** The call with what it shows. */
export function withCredential(call: FuzzCall, { authorization, query }: Credential): FuzzCall {
  const { authorization: _, ...headers } = call.headers;
  const joined = query === undefined ? '' : `${call.target.includes('?') ? '&' : '?'}${query}`;
  return {
    ...call,
    target: `${call.target}${joined}`,
    headers: authorization === undefined ? headers : { ...headers, authorization },
  };
}
