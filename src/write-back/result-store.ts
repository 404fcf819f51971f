import type { Meta, Resource } from '@medplum/fhirtypes';
import type { NamedMade } from '../fhir/store/read-with-made.ts';
import type { ResourceRow } from '../fhir/store/resource-row.ts';
import type { Sql } from '../platform/database.ts';

export type Stored<Kind extends Resource> = Kind & { id: string };

/** The first version of a resource, checked and serialised, not yet stored. */
export interface Draft<Kind extends Resource = Resource> {
  readonly resource: Stored<Kind>;
  readonly row: ResourceRow;
}

/** A resource in the store. */
export interface Found<Kind extends Resource = Resource> {
  readonly resource: Stored<Kind>;
  /** Whether it says the same as the version said that was made here, apart from `meta` and the elements named. */
  saysWhatWasMade(apartFrom: readonly string[]): boolean;
}

/** What write-back needs of the own FHIR store before a transaction: nothing here touches the database. */
export interface ResultDrafts {
  /**
   * The first version of a new resource, under a new id.
   * @param checked true where it is known to be valid R4
   * Throws WRITE_REJECTED where the store refuses the resource.
   */
  draft<Kind extends Resource>(resource: Kind, checked?: boolean): Draft<Kind>;
}

/**
 * What write-back needs of the own FHIR store inside one transaction: all of it is kept, or nothing. The number of
 * statements of each method does not depend on how many resources it is given.
 */
export interface ResultStore extends ResultDrafts {
  /** Keeps everybody from changing these resources until the transaction ends, so that what is read of them next stays true. */
  lock(type: Resource['resourceType'], ids: readonly string[]): Promise<void>;
  /** By `Type/id`; what is not there or was deleted is left out. */
  read(names: readonly NamedMade[]): Promise<ReadonlyMap<string, Found>>;
  insert(drafts: readonly Draft[]): Promise<void>;
  /**
   * Stores the next version of a resource that is there and locked. It keeps the tags and labels of the one before, but for
   * the tag `superseded`, which becomes what is said here.
   */
  amend<Kind extends Resource>(resource: Stored<Kind>, superseded: boolean): Promise<Stored<Kind>>;
  /** Creates a resource under the id it carries; one that is there stays as it is and is given back, whatever it says. */
  createWithIdIfAbsent<Kind extends Resource>(resource: Stored<Kind>): Promise<Stored<Kind>>;
  /**
   * Stores next versions of the results whose tag `superseded` says something else than the map. What others
   * changed until then is kept; what was deleted has no tag.
   * @param wanted by `Type/id`
   * @returns the resources' new meta by `Type/id`, of those that were changed
   */
  tagSuperseded(wanted: ReadonlyMap<string, boolean>): Promise<ReadonlyMap<string, Meta>>;
}

/** Opens the own FHIR store for one tenant, inside a transaction where more than drafts is asked of it. */
export type OpenResultStore = (sql: Sql, tenant: string) => ResultStore;
