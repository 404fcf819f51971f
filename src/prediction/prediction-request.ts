import type { Resource } from '@medplum/fhirtypes';
import type { AssertedInput } from '../features/asserted-input.ts';
import type { ModelInputs } from '../features/feature-vector.ts';

/** A resource the caller already holds, and where in the caller's message it stands (FHIRPath), for errors. */
export interface Seed {
  readonly resource: Resource;
  readonly expression: string;
}

export const entrances = ['fhir-operation', 'cds-hooks', 'cohort', 'subscription', 'command-line'] as const;
/** By which way a request came; part of every row of the prediction log. */
export type Entrance = (typeof entrances)[number];

/** Who asks, as far as the entrance knows; for the prediction log. */
export interface Caller {
  /** The person: `Practitioner/17`. */
  readonly user?: string;
  /** The program: an OAuth client, the schedule of a run. */
  readonly client?: string;
  /** Id of the CDS Hooks service that was called. */
  readonly service?: string;
  /** One for each client of each issuer: whose an earlier result is. */
  readonly key?: string;
  /** UUID of the CDS Hooks card that will show the prediction: what feedback names. */
  readonly card?: string;
  /** Id of the cohort run that the prediction is a member of. */
  readonly run?: string;
}

/**
 * Complete answers that a caller holds: by key of the query (`RecordQuery.key`), and `patient` for the Patient. An empty
 * list says that there is none; a key that is not there was not answered.
 */
export type HeldAnswers = ReadonlyMap<string, readonly Seed[]>;

/** The first page of an answer that goes on at the server of the call. */
export interface BegunAnswer {
  readonly seeds: readonly Seed[];
  /** Where the client says the next page is; whoever reads it checks that it is of the same server. */
  readonly next: string;
  /** How many matches the page says there are. */
  readonly total?: number;
}

/**
 * Where the record is read from, if not from the configured source:
 * - `server`: the FHIR server that the call names. What is not among the answers is asked of it with the token of this
 *   call, and of nobody else. Resources count as that server's own.
 * - `caller`: nobody is asked. With `answers`, a query without one is an error; without them, the seeds are the whole
 *   record. Such a result supersedes nothing and is never written.
 */
export type RecordOrigin =
  | {
      readonly from: 'server';
      /** Absolute FHIR base without a trailing slash. */
      readonly base: string;
      readonly accessToken?: string;
      readonly answers: HeldAnswers;
      /** By key, beside the answers; the rest of each is asked of the server. */
      readonly begun?: ReadonlyMap<string, BegunAnswer>;
      /** Why a key without an answer is not asked of the server either, in words, by key. */
      readonly unasked?: ReadonlyMap<string, string>;
    }
  | { readonly from: 'caller'; readonly answers?: HeldAnswers };

/** What every entrance asks of the path: one subject, one model, one instant. */
export interface PredictionRequest {
  readonly requestId: string;
  readonly entrance: Entrance;
  readonly caller?: Caller;
  readonly model: string;
  /** Semantic version; absent: the model's default version. */
  readonly version?: string;
  /** Logical id of the Patient at the record source. */
  readonly subject: string;
  /** Logical id of the Encounter the prediction is made for. */
  readonly encounter?: string;
  /**
   * The order or appointment that the prediction is about: `ServiceRequest/17`, or `ServiceRequest#` and the SHA-256 of its
   * content for a draft, which no server holds yet.
   */
  readonly focus?: string;
  /** Nothing that became true or known after this instant is seen. Absent: now, cut to the minute. */
  readonly asOf?: Date;
  /** Absent: the configured source. */
  readonly origin?: RecordOrigin;
  readonly seed: readonly Seed[];
  /** Values asserted by the caller; a result that rests on one is never written. */
  readonly inputs: readonly AssertedInput[];
  /** True: the result becomes a resource of the own store, and goes to the sinks. */
  readonly writeBack: boolean;
  /**
   * False: the caller shows the prediction in a form of its own, so the FHIR resource is not built. Absent: it is. What is
   * written back always is.
   */
  readonly build?: boolean;
  /** True: a version is scored beside the default, after its answer, and nobody is shown what it says. */
  readonly shadow?: true;
  /** False: no contributions are wanted. Absent: they are. */
  readonly explain?: boolean;
  /**
   * When the answer is due, on the clock of performance.now() in milliseconds. Contributions that would come later are
   * left out, and the result says so; inputs never are.
   */
  readonly answerBy?: number;
  /** Told of the inputs once they are read, before the model is asked. */
  readonly inputsRead?: (inputs: ModelInputs) => void;
  /** Aborted when the record may be read no more: its time is up, or the token of the call has expired. */
  readonly signal?: AbortSignal;
  /**
   * Aborted when nobody waits for the answer any more: what waits for a model is dropped; a run that has begun goes on, and
   * its result is dropped.
   */
  readonly givenUp?: AbortSignal;
}
