import type { Coding, Meta, Resource } from '@medplum/fhirtypes';
import { withRelativeReferences } from './rewrite-references.ts';
import type { StoreContext } from './store-context.ts';

/**
 * The resource as it is stored: with this server's id and version, in place of what the client said of either, and with
 * relative references to this server.
 */
export function stamped(
  context: StoreContext,
  given: Resource,
  id: string,
  version: number,
): Resource & { id: string } {
  const { resourceType, id: _id, meta, ...rest } = withRelativeReferences(given, context.baseUrl);
  return {
    resourceType,
    id,
    meta: { ...meta, versionId: String(version), lastUpdated: context.clock.now().toISOString() },
    ...rest,
  } as Resource & { id: string };
}

/** The resource with the tags and security labels of its current version beside its own: an update does not lose them. */
export function withCarriedMeta(given: Resource, current: Meta | undefined): Resource {
  const tag = union(given.meta?.tag, current?.tag);
  const security = union(given.meta?.security, current?.security);
  return { ...given, meta: { ...given.meta, ...(tag && { tag }), ...(security && { security }) } };
}

/** By system and code; of two that are equal in these the first stays. */
function union(own: readonly Coding[] = [], carried: readonly Coding[] = []): Coding[] | undefined {
  const names = new Set(own.map(nameOf));
  const all = [...own, ...carried.filter((coding) => !names.has(nameOf(coding)))];
  return all.length === 0 ? undefined : all;
}

function nameOf({ system = '', code, display = '' }: Coding): string {
  return code === undefined ? `${system} ${display}` : `${system}|${code}`;
}
