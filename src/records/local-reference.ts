import { isFhirId, parseRelativeReference } from '../fhir/reference.ts';

/** A literal reference to a resource on the server that the referring resource came from. */
export interface LocalReference {
  /** Absent for `urn:uuid:` references, which do not name it. */
  readonly type?: string;
  readonly id: string;
  readonly versionId?: string;
}

/**
 * Reads a reference that stays on one server: relative, absolute below `base`, or `urn:uuid:` + id.
 * @param base absolute FHIR base URL without a trailing slash
 * @returns undefined for a contained (`#…`) or logical reference, and for one that leads to another server
 */
export function localReference(reference: string | undefined, base: string): LocalReference | undefined {
  if (typeof reference !== 'string') return undefined;
  const uuid = /^urn:uuid:(\S+)$/i.exec(reference)?.[1];
  if (uuid !== undefined) return isFhirId(uuid) ? { id: uuid } : undefined;
  return parseRelativeReference(belowBase(reference, base));
}

function belowBase(reference: string, base: string): string {
  if (reference.startsWith(`${base}/`)) return reference.slice(base.length + 1);
  // Host in capitals or a default port written out: the same address in another spelling.
  const url = /^https?:/i.test(reference) ? URL.parse(reference) : null;
  return url?.href.startsWith(`${base}/`) ? url.href.slice(base.length + 1) : reference;
}
