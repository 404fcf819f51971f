import type { Identifier, Resource } from '@medplum/fhirtypes';

export type Stored<Kind extends Resource> = Kind & { id: string };

/**
 * What write-back needs of the own FHIR store, bound to one tenant and to one open transaction: all of it is kept, or
 * nothing. Every method may throw WRITE_REJECTED where the store refuses the resource.
 */
export interface ResultStore {
  /** Undefined where there is none, or it was deleted. */
  read<Kind extends Resource>(type: Kind['resourceType'], id: string): Promise<Stored<Kind> | undefined>;
  create<Kind extends Resource>(resource: Kind): Promise<Stored<Kind>>;
  /** Creates a resource under the id it carries, unless one is there: that one stays as it is. */
  createWithIdIfAbsent<Kind extends Resource>(resource: Stored<Kind>): Promise<void>;
  /** Conditional create by identifier: gives back the resource that has the identifier already, if there is one. */
  createIfAbsent<Kind extends Resource>(
    resource: Kind,
    identifier: Identifier,
  ): Promise<{ readonly resource: Stored<Kind>; readonly created: boolean }>;
  /** Throws VERSION_CONFLICT unless the version in the store is the one in `resource.meta.versionId`. */
  update<Kind extends Resource>(resource: Stored<Kind>): Promise<Stored<Kind>>;
}
