import type { Coding, Resource } from '@medplum/fhirtypes';

export type Stored<Kind extends Resource> = Kind & { id: string };

/**
 * What write-back needs of the own FHIR store, bound to one tenant and to one open transaction: all of it is kept, or
 * nothing. Every method may throw WRITE_REJECTED where the store refuses the resource.
 */
export interface ResultStore {
  /** Undefined where there is none, or it was deleted. */
  read<Kind extends Resource>(type: Kind['resourceType'], id: string): Promise<Stored<Kind> | undefined>;
  /** The resource as its first version had it, whatever became of it; undefined where that is not known. */
  readFirstVersion<Kind extends Resource>(type: Kind['resourceType'], id: string): Promise<Stored<Kind> | undefined>;
  /** `meta.tag` by id, of those resources that are there. */
  readTags(type: Resource['resourceType'], ids: readonly string[]): Promise<ReadonlyMap<string, readonly Coding[]>>;
  create<Kind extends Resource>(resource: Kind): Promise<Stored<Kind>>;
  /** Creates a resource under the id it carries; one that is there stays as it is and is given back, whatever it says. */
  createWithIdIfAbsent<Kind extends Resource>(resource: Stored<Kind>): Promise<Stored<Kind>>;
  /**
   * Stores the resource with the tags and labels it carries and no others. Throws VERSION_CONFLICT unless the version
   * in the store is the one in `resource.meta.versionId`.
   */
  update<Kind extends Resource>(resource: Stored<Kind>): Promise<Stored<Kind>>;
}
