import type { Reference, Resource } from '@medplum/fhirtypes';
import { belowBase, parseRelativeReference } from '../../fhir/reference.ts';

/** How references of the own store are named at a sink. */
export interface ReferenceRules {
  /** Base of the own store: what its relative references mean. */
  readonly ownBase: string;
  /** Base of the sink, where it is a server. */
  readonly sinkBase?: string;
  /** relative: the sink has the own store's patients and encounters, under their ids. */
  readonly subjectReferences: 'absolute' | 'relative';
  /** identifier: what lives on another server is named by its URL as an identifier. */
  readonly foreignReferences: 'absolute' | 'identifier';
}

const subjectTypes: ReadonlySet<string> = new Set(['Patient', 'Encounter']);

/**
 * A copy whose references mean at the sink what they mean here: `Patient/1` of the own store would be somebody else
 * there. What lives at the sink is named relatively, everything else by its absolute URL.
 * @param known references that the sink has a name of its own for: the Device, the delivered result
 */
export function withSinkReferences<T>(
  value: T,
  rules: ReferenceRules,
  known: ReadonlyMap<string, Reference> = new Map(),
): T {
  if (Array.isArray(value)) return value.map((item) => withSinkReferences(item, rules, known)) as T;
  if (typeof value !== 'object' || value === null) return value;
  // Spread keeps the text of decimals.
  const copy = { ...value } as Record<string, unknown>;
  for (const [name, item] of Object.entries(copy)) {
    if (typeof item === 'object') copy[name] = withSinkReferences(item, rules, known);
  }
  return (typeof copy.reference === 'string' ? named(copy as Reference<Resource>, rules, known) : copy) as T;
}

function named(
  reference: Reference<Resource>,
  rules: ReferenceRules,
  known: ReadonlyMap<string, Reference>,
): Reference {
  const text = reference.reference ?? '';
  if (text.startsWith('#') || text.startsWith('urn:')) return reference;
  const own = belowBase(text, rules.ownBase) ?? text;
  const parsed = parseRelativeReference(own);
  if (parsed === undefined) return foreign(reference, text, rules);
  const there = known.get(`${parsed.type}/${parsed.id}`);
  if (there !== undefined) {
    const { reference: _, ...rest } = reference;
    return { ...rest, ...there };
  }
  if (rules.subjectReferences === 'relative' && subjectTypes.has(parsed.type)) {
    return { ...reference, reference: `${parsed.type}/${parsed.id}` };
  }
  return foreign(reference, `${rules.ownBase}/${own}`, rules);
}

function foreign(reference: Reference<Resource>, url: string, rules: ReferenceRules): Reference {
  const below = rules.sinkBase === undefined ? undefined : belowBase(url, rules.sinkBase);
  if (below !== undefined && parseRelativeReference(below) !== undefined) return { ...reference, reference: below };
  if (rules.foreignReferences === 'absolute') return { ...reference, reference: url };
  const { reference: _, ...rest } = reference;
  return { ...rest, identifier: reference.identifier ?? { system: 'urn:ietf:rfc:3986', value: url } };
}
