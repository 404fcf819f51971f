import type { CodeableConcept } from '@medplum/fhirtypes';
import { systemsOf, textOf } from '../fhir/codes.ts';

/** Says why a concept that matched no listed code cannot be read as "something else", or undefined where it can. */
export type UndecodableReason = (concept: CodeableConcept | undefined) => string | undefined;

/**
 * Nothing-found means no only where every candidate was understood. A candidate that matched no code is understood as
 * something else when it carries a code of a system the list knows and no text that says otherwise; a code of another
 * system, a text alone, and, where texts are watched for, a code without any text, are not understood.
 * @param codes the feature's list, `system|code`
 * @param suspectText words, in any case, that an unlisted candidate of this kind would be called by
 */
export function compileUndecodable(
  kind: string,
  codes: Iterable<string>,
  suspectText: readonly string[] = [],
): UndecodableReason {
  const systems = systemsOf(codes);
  const words = suspectText.map((text) => ({ text, pattern: wordPattern(text) }));
  return (concept) => {
    const known = (concept?.coding ?? []).some(({ system, code }) => code !== undefined && systems.has(system ?? ''));
    if (!known) return `a ${kind} has no code of a system that the list knows`;
    if (words.length === 0) return undefined;
    const text = textOf(concept);
    if (text.trim() === '') return `a ${kind} has a code that is not in the list, and no text to check it by`;
    const suspect = words.find(({ pattern }) => pattern.test(text));
    return suspect === undefined ? undefined : `a ${kind} reads '${suspect.text}', but its code is not in the list`;
  };
}

const longestAbbreviation = 4;

/** Anywhere in a text, but an abbreviation (CVA, T2DM) only as a word of its own. */
function wordPattern(text: string): RegExp {
  const literal = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(text.length > longestAbbreviation ? literal : `(?<![a-z0-9])${literal}(?![a-z0-9])`, 'i');
}
