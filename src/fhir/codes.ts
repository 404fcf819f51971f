import type { CodeableConcept } from '@medplum/fhirtypes';

/** `system|code` of every coding that has both. A code without a system means nothing and is left out. */
export function tokensOf(concept: CodeableConcept | undefined): string[] {
  const tokens: string[] = [];
  for (const coding of concept?.coding ?? []) {
    if (coding.system !== undefined && coding.code !== undefined) tokens.push(`${coding.system}|${coding.code}`);
  }
  return tokens;
}

/** True if any coding of the concept is in the list: all codings count, system included, never a prefix. */
export function hasToken(concept: CodeableConcept | undefined, list: ReadonlySet<string>): boolean {
  for (const coding of concept?.coding ?? []) {
    if (list.has(`${coding.system}|${coding.code}`)) return true;
  }
  return false;
}

/** The systems of `system|code` tokens. */
export function systemsOf(tokens: Iterable<string>): Set<string> {
  return new Set([...tokens].map((token) => token.slice(0, token.lastIndexOf('|'))));
}

/** Characters that are not seen: zero-width spaces and joiners, soft hyphens. */
const invisible = /[\u00ad\u200b-\u200f\u2060\ufeff]/g;

/** Every human-readable word of a concept, in lower case and without invisible characters, for the search for suspect text. */
export function textOf(concept: CodeableConcept | undefined): string {
  return [concept?.text, ...(concept?.coding ?? []).map((coding) => coding.display)]
    .filter((text) => text !== undefined)
    .join(' ')
    .replace(invisible, '')
    .toLowerCase();
}
