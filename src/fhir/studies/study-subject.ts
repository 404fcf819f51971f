import { belowBase, canonicalReference, parseRelativeReference } from '../reference.ts';

/**
 * Logical id of the Patient that a study names as its subject; undefined where it names none, or one of another server.
 * @param study as a server or a caller gave it: nothing of its shape is certain
 * @param bases see StudyIndex
 */
export function studySubject(study: object, bases: readonly string[]): string | undefined {
  const { subject } = study as { readonly subject?: unknown };
  const reference =
    typeof subject === 'object' && subject !== null
      ? (subject as { readonly reference?: unknown }).reference
      : undefined;
  if (typeof reference !== 'string') return undefined;
  const [local = reference] = bases.flatMap((base) => belowBase(reference, base) ?? []);
  const named = parseRelativeReference(canonicalReference(local, '', 'Patient') ?? '');
  return named?.type === 'Patient' ? named.id : undefined;
}
