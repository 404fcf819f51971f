import type { CodeableConcept } from '@medplum/fhirtypes';
import { systemsOf } from '../fhir/codes.ts';
import { compileTextFilter } from './suspect-text.ts';

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
  const systems = [...systemsOf(codes)];
  const suspectIn = compileSuspectText(suspectText);
  return (concept) => {
    if (!hasCodeOf(systems, concept)) return `a ${kind} has no code of a system that the list knows`;
    if (suspectText.length === 0) return undefined;
    const suspect = suspectIn(concept);
    if (suspect === 'no-text') return `a ${kind} has a code that is not in the list, and no text to check it by`;
    return suspect === undefined ? undefined : `a ${kind} reads '${suspect.word}', but its code is not in the list`;
  };
}

/** The watched word that the text of a concept holds, if there is one. */
export function compileSuspectText(
  suspectText: readonly string[] = [],
): (concept: CodeableConcept | undefined) => { readonly word: string } | 'no-text' | undefined {
  const words = suspectText.map((text) => ({ text, whole: isAbbreviation(text), pattern: wordPattern(text) }));
  const mayBeSuspect = compileTextFilter(words);
  return (concept) => {
    const given = textOf(concept);
    if (given.trim() === '') return 'no-text';
    if (!mayBeSuspect(given)) return undefined;
    const text = plainText(given);
    if (text.trim() === '') return 'no-text';
    const suspect = words.find(({ pattern }) => pattern.test(text));
    return suspect === undefined ? undefined : { word: suspect.text };
  };
}

function hasCodeOf(systems: readonly string[], concept: CodeableConcept | undefined): boolean {
  const codings = concept?.coding;
  if (codings === undefined) return false;
  for (const { system, code } of codings) {
    if (code !== undefined && system !== undefined && systems.includes(system)) return true;
  }
  return false;
}

/** Every human-readable word of a concept. */
function textOf(concept: CodeableConcept | undefined): string {
  let all = concept?.text ?? '';
  let first = concept?.text === undefined;
  for (const { display } of concept?.coding ?? []) {
    if (display === undefined) continue;
    all = first ? display : `${all} ${display}`;
    first = false;
  }
  return all;
}

/** Characters that are not seen: zero-width spaces and joiners, soft hyphens. */
const invisible = /[\u00ad\u200b-\u200f\u2060\ufeff]/g;

function plainText(text: string): string {
  return text.replace(invisible, '').toLowerCase();
}

const longestAbbreviation = 4;

function isAbbreviation(text: string): boolean {
  return text.length <= longestAbbreviation;
}

/** Anywhere in a text, but an abbreviation (CVA, T2DM) only as a word of its own. */
function wordPattern(text: string): RegExp {
  const literal = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(isAbbreviation(text) ? `(?<![a-z0-9])${literal}(?![a-z0-9])` : literal, 'i');
}
