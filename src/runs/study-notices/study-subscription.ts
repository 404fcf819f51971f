/** What a FHIR server tells of, and what is done about it. */
export interface StudySubscription {
  readonly name: string;
  /** Ids of models that read images. */
  readonly models: readonly string[];
  /** Parameters of a search on ImagingStudy that a study has to fit. */
  readonly criteria: readonly (readonly [name: string, value: string])[];
  /** That has to pass after the last notice about a study before it is read. */
  readonly quietPeriodMs: number;
  /** How often the server is asked what has changed, whatever it tells. */
  readonly checkEveryMs: number;
  readonly writeBack: boolean;
}

/** A study as it stands at the record source. */
export interface FoundStudy {
  /** Logical id of the ImagingStudy. */
  readonly id: string;
  /** Logical id of its Patient; absent where it names none of this server. */
  readonly subject?: string;
  /** Names this version of it; absent where the server names none. */
  readonly version?: string;
}

/** The studies of the record source. All throw RECORD_UNREACHABLE. */
export interface StudyFinder {
  /** Undefined where there is none, or it does not fit the criteria. */
  find(id: string, criteria: StudySubscription['criteria'], signal: AbortSignal): Promise<FoundStudy | undefined>;
  /** Those that fit and changed at that time or later, page by page; ends only when all were read. */
  changedSince(
    since: Date,
    criteria: StudySubscription['criteria'],
    signal: AbortSignal,
  ): AsyncIterable<readonly FoundStudy[]>;
}
