import type { CodeableConcept } from '@medplum/fhirtypes';

/** Says whether a concept is in a fixed list. */
export type TokenTest = (concept: CodeableConcept | undefined) => boolean;

/**
 * True if any coding of the concept is in the list: all codings count, system included, never a prefix. Looked up by the
 * code and then the system, for to join the two for every coding of a record would cost more than all else.
 * @param tokens `system|code`, each half without a `|`
 */
export function compileTokens(tokens: Iterable<string>): TokenTest {
  const systemsByCode = new Map<string, string[]>();
  for (const token of tokens) {
    const [system, code] = splitToken(token);
    const systems = systemsByCode.get(code);
    if (systems === undefined) systemsByCode.set(code, [system]);
    else systems.push(system);
  }
  return (concept) => {
    const codings = concept?.coding;
    if (codings === undefined) return false;
    for (const { system, code } of codings) {
      if (code === undefined || system === undefined) continue;
      if (systemsByCode.get(code)?.includes(system) === true) return true;
    }
    return false;
  };
}

/** System and code of `system|code`. */
export function splitToken(token: string): [system: string, code: string] {
  const bar = token.lastIndexOf('|');
  return [token.slice(0, bar), token.slice(bar + 1)];
}

/** True if any coding has both a system and a code. A code without a system means nothing. */
export function isCoded(concept: CodeableConcept | undefined): boolean {
  return concept?.coding?.some(({ system, code }) => system !== undefined && code !== undefined) === true;
}

/** The systems of `system|code` tokens. */
export function systemsOf(tokens: Iterable<string>): Set<string> {
  return new Set([...tokens].map((token) => splitToken(token)[0]));
}
