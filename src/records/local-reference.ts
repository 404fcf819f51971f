import { belowBase, isFhirId, parseRelativeReference } from '../fhir/reference.ts';

/** A literal reference to a resource on the server that the referring resource came from. */
export interface LocalReference {
  /** Absent for `urn:uuid:` references, which do not name it. */
  readonly type?: string;
  readonly id: string;
  readonly versionId?: string;
}

/** One FHIR server, by its absolute base URLs without a trailing slash. */
export interface ServerBases {
  readonly base: string;
  /** Bases it had before: what was stored then may still name it by them. */
  readonly earlierBases?: readonly string[];
}

/**
 * Reads a reference that stays on one server: relative, absolute below one of its bases, or `urn:uuid:` + id.
 * @returns undefined for a contained (`#…`) or logical reference, and for one that leads to another server
 */
export function localReference(
  reference: string | undefined,
  { base, earlierBases = [] }: ServerBases,
): LocalReference | undefined {
  if (typeof reference !== 'string') return undefined;
  // What has the shape `Type/id` has no colon: it is neither a URN nor below an absolute base.
  const relative = parseRelativeReference(reference);
  if (relative !== undefined) return relative;
  const uuid = /^urn:uuid:(\S+)$/i.exec(reference)?.[1];
  if (uuid !== undefined) return isFhirId(uuid) ? { id: uuid } : undefined;
  for (const known of [base, ...earlierBases]) {
    const below = belowBase(reference, known);
    if (below !== undefined) return parseRelativeReference(below);
  }
  return undefined;
}
