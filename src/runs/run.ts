import type { KeptText } from '../platform/sealed-text.ts';
import type { IdempotencyKey } from './idempotency.ts';

/**
 * Who is predicted about: every patient of the record source, the members of a Group, or what a search on Patient finds; or which
 * imaging studies, with whoever they are of.
 */
export type Cohort =
  | { readonly all: true }
  | {
      /** `Group/<id>` of the record source. */
      readonly group: string;
    }
  | {
      /** A relative search: `Patient?name=value&…` or `ImagingStudy?name=value&…`. */
      readonly search: string;
      /**
       * Of a search on ImagingStudy: only what changed at its server within this duration before the run is made (ISO 8601, days,
       * weeks or hours: see `changed-since.ts`). A run of a schedule goes back further, to the one before it.
       */
      readonly since?: string;
    };

/** True where the members are imaging studies. */
export function isOfStudies(cohort: Cohort): cohort is Extract<Cohort, { readonly search: string }> {
  return 'search' in cohort && cohort.search.startsWith('ImagingStudy?');
}

export const runStates = ['expanding', 'running', 'cancelling', 'cancelled', 'finished', 'failed'] as const;
/**
 * `expanding`: the cohort is read. `running`: members are predicted about. `cancelling`: what is under way is finished.
 * `failed`: the run as a whole cannot go on, the reason says why; like `cancelled` it can be resumed.
 */
export type RunState = (typeof runStates)[number];

export const memberStates = ['pending', 'scored', 'abstained', 'failed'] as const;
export type MemberState = (typeof memberStates)[number];

/** What is asked for; a repeat with the same idempotency key must ask for the same. */
export interface RunRequest {
  readonly model: string;
  /** Absent: the model's default version at the time of asking. */
  readonly version?: string;
  readonly cohort: Cohort;
  /** Absent: now, cut to the minute. */
  readonly asOf?: Date;
  /** Absent: true. */
  readonly writeBack?: boolean;
  /** Absent: true. */
  readonly explain?: boolean;
}

/** Who asks for a run. */
export interface RunOrigin {
  readonly requester?: string;
  readonly schedule?: string;
  /** IANA zone in which the days of `since` are counted; absent: the site's. */
  readonly timeZone?: string;
  readonly idempotencyKey?: IdempotencyKey;
}

/** One cohort run as it is kept. */
export interface Run {
  readonly id: string;
  readonly tenant: string;
  /** The base that names the subjects; see PredictionParts.subjectBase. */
  readonly fhirBase: string;
  readonly model: { readonly id: string; readonly version: string; readonly digest: string };
  /** See `openCohort`. */
  readonly keptCohort: KeptText;
  /** The same for every member, fixed when the run was made. */
  readonly asOf: Date;
  readonly writeBack: boolean;
  readonly explain: boolean;
  /** Members of one job. */
  readonly chunkSize: number;
  readonly state: RunState;
  /** Why it failed; set in state `failed` only. */
  readonly reason?: { readonly code: string; readonly message: string };
  readonly requester?: string;
  readonly schedule?: string;
  /** Of a cohort with `since`: what changed at its server then or later is in it. */
  readonly changedSince?: Date;
  /** Id of the run whose members are taken again that came to no end; see `carry-over.ts`. */
  readonly follows?: string;
  /** Undefined until the cohort has been read to its end. */
  readonly members?: number;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  /** When work on it last began, at first or after a resume, and how many members were done by then. */
  readonly workedFrom?: { readonly at: Date; readonly done: number };
}

/** One subject of a run and what came of it. */
export interface RunMember {
  /** Place in the cohort, from 1; numbers may be left out. */
  readonly ordinal: number;
  /** Logical id of the Patient; for a member that names none, what it names instead. */
  readonly subject: string;
  /** `ImagingStudy/id` of the study that is predicted about; absent where the member is the subject alone. */
  readonly focus?: string;
  readonly state: MemberState;
  /** Id of the model's first outcome that has a score, and that score: probability 0..1, points, value or number of the class. */
  readonly outcome?: string;
  readonly score?: number;
  readonly band?: string;
  /** Why the model abstained; codes, e.g. `not-eligible`, `prior-cvd`. */
  readonly reasons: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
  /** Identifier of the result. */
  readonly result?: string;
  /** `Type/id` of the result in the own store, where it was written. */
  readonly resource?: string;
}
