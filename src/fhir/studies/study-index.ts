import type { ImagingStudy, Meta, Reference } from '@medplum/fhirtypes';

/** What a study is about and which version of it that is; nothing of its series, of which there may be thousands. */
export interface ListedStudy {
  readonly id?: string;
  readonly meta?: Pick<Meta, 'versionId' | 'lastUpdated'>;
  readonly subject?: Reference;
}

/** The ImagingStudies of the record source. All methods throw RECORD_UNREACHABLE where it cannot be asked. */
export interface StudyIndex {
  /** Absolute FHIR bases without a trailing slash whose references are the source's own. */
  readonly bases: readonly string[];
  /** Undefined where there is none. */
  read(id: string, signal?: AbortSignal): Promise<ImagingStudy | undefined>;
  /** What a search on ImagingStudy finds, whole, page by page; ends only when the search was complete. For few: see `list`. */
  search(
    parameters: readonly (readonly [name: string, value: string])[],
    signal?: AbortSignal,
  ): AsyncIterable<readonly ImagingStudy[]>;
  /** The same for any number of studies; one may come more than once. */
  list(
    parameters: readonly (readonly [name: string, value: string])[],
    signal?: AbortSignal,
  ): AsyncIterable<readonly ListedStudy[]>;
  /** Throws PARAMETER_INVALID for a search that the source is known to refuse. */
  checkSearch(parameters: readonly (readonly [name: string, value: string])[]): void;
}
