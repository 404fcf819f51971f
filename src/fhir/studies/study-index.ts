import type { ImagingStudy } from '@medplum/fhirtypes';

/** The ImagingStudies of the record source. All methods throw RECORD_UNREACHABLE where it cannot be asked. */
export interface StudyIndex {
  /** Absolute FHIR bases without a trailing slash whose references are the source's own. */
  readonly bases: readonly string[];
  /** Undefined where there is none. */
  read(id: string, signal?: AbortSignal): Promise<ImagingStudy | undefined>;
  /** What a search on ImagingStudy finds, page by page; ends only when the search was complete. */
  search(
    parameters: readonly (readonly [name: string, value: string])[],
    signal?: AbortSignal,
  ): AsyncIterable<readonly ImagingStudy[]>;
  /** Throws PARAMETER_INVALID for a search that the source is known to refuse. */
  checkSearch(parameters: readonly (readonly [name: string, value: string])[]): void;
}
