import type { Resource } from '@medplum/fhirtypes';

/** An interaction that is asked of the store, alone or in an entry of a Bundle. */
export interface AskedInteraction {
  readonly interaction: 'read' | 'vread' | 'history-instance' | 'search-type' | 'create' | 'update' | 'delete';
  readonly type: string;
  /** Absent for searches, creates and conditional interactions. */
  readonly id?: string;
  /** Of a vread. */
  readonly versionId?: string;
  /** It depends on what criteria match: If-None-Exist, or a PUT with a query. */
  readonly conditional: boolean;
  /** It names the version that must be there. */
  readonly versioned: boolean;
  /** Of a search, from URL and form. */
  readonly query: readonly (readonly [string, string])[];
  /** What is to be written. */
  readonly resource?: Resource;
}

/** Says for one caller what it may ask of the store. */
export interface CallGuard {
  /** Throws FORBIDDEN where it may not be asked, before anything is read. */
  before(asked: AskedInteraction): void;
  /**
   * What of the answer the caller may see: of a search without what is about somebody else. Throws RESOURCE_UNKNOWN where all of it is, in
   * the words of the store for what is not there.
   */
  after(asked: AskedInteraction, answer: Resource | undefined): Resource | undefined;
}
