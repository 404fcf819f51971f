/**
 * The closed list of ways a request can fail. Stages throw these; `http/error-response.ts` alone turns
 * them into a status and an OperationOutcome. `docs/errors.md` describes each one.
 */
export const errorCodes = [
  'BODY_UNPARSEABLE', // the body is not JSON
  'BODY_TOO_LARGE', // the body exceeds MAX_BODY_MB
  'CONTENT_TYPE_UNSUPPORTED', // neither application/fhir+json nor application/json
  'NOT_ACCEPTABLE', // the client accepts only formats that are not served
  'RESOURCE_INVALID', // a resource breaks base R4
  'PARAMETER_INVALID', // a parameter of an operation or a search is unknown, repeated or malformed
  'HOST_REFUSED', // the request was sent to a name that is not this server's
  'UNAUTHENTICATED', // the call does not prove who makes it: no token, or one that does not hold
  'FORBIDDEN', // who makes the call is known, and may not do this
  'RATE_LIMITED', // more is asked in a time than the caller may
  'ISSUER_UNREACHABLE', // the authorization server that a token is from cannot be asked, or gives no keys
  'METHOD_NOT_ALLOWED', // the interaction exists, but not by this method
  'OPERATION_UNKNOWN', // no such operation or route
  'RESOURCE_UNKNOWN', // no such resource
  'RESOURCE_DELETED', // the resource was deleted
  'VERSION_CONFLICT', // If-Match or a conditional interaction does not hold
  'MULTIPLE_MATCHES', // a conditional interaction matches more than one resource
  'MODEL_UNKNOWN', // no such model or version
  'MODEL_NOT_READY', // the model is known but may not be used now
  'MODEL_DISABLED', // the site has switched the model off
  'MODEL_INVALID', // a model folder is refused at load
  'SUBJECT_UNKNOWN', // no such patient at the record source
  'SUBJECT_FOREIGN', // a resource in the call belongs to another patient
  'SEED_CONFLICT', // a resource in the call contradicts the one its server holds
  'RECORD_UNREACHABLE', // the record source hangs, resets, fails or answers something that is not FHIR
  'IMAGES_UNREACHABLE', // the image server hangs, resets, fails, breaks off or answers something that is not what was asked for
  'HOOK_DATA_UNOBTAINABLE', // a CDS Hooks call needs data that neither its prefetch nor its FHIR server gives
  'AS_OF_IN_FUTURE', // predictions are made of what is known, not of what will be
  'WHAT_IF_NOT_WRITABLE', // asserted inputs are never written back
  'DEMONSTRATION_ONLY', // a demonstration model is not for what is asked of it
  'VERSION_NOT_WRITABLE', // only results of a model's default version are written back
  'ABSTAINED', // the model may not speak about this subject: not eligible, insufficient data, out of range
  'INFERENCE_FAILED', // the engine failed or returned something that is not a score
  'ENGINE_UNAVAILABLE', // the process or server that runs the model, or the thread that prepares an image, is gone or cannot be reached
  'OVERLOADED', // more is asked of a model, or of what prepares its images, than can be answered in time
  'DEADLINE_EXCEEDED', // the model did not answer by the time the caller gave
  'RESULT_INVALID', // the result that was built breaks base R4: a bug, and never sent
  'WRITE_REJECTED', // the store refused or could not keep the result
  'WRITE_CONFLICT', // the stored result was changed by somebody else
  'VERSION_REQUIRED', // the call changes what somebody has read, and does not say which version that was
  'REPORT_NOT_REVIEWABLE', // the report is none of a model of this server, or says what was superseded
  'REVIEW_CONFLICT', // somebody has reviewed the report, and the verdict may not follow theirs
  'VERSION_STATE_CONFLICT', // the version is in that state already, or there is nothing to go back to
  'RUN_UNKNOWN', // no such cohort run
  'RUN_CONFLICT', // the run is in another state, belongs to another record source, or its key was used for another request
  'STORAGE_FULL', // no space is left for the database
  'DATABASE_UNAVAILABLE', // the database does not answer
  'STARTING', // the server is not ready yet
  'SHUTTING_DOWN', // the server drains and takes no new work
  'CONFIG_INVALID', // a setting is unknown or bad
  'DATA_DIR_LOCKED', // another process holds the data directory
  'INTERNAL', // a bug
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** One finding inside an error; becomes one OperationOutcome.issue. */
export interface ErrorIssue {
  /** FHIR issue-type code, if it differs from the one of the error code. */
  readonly code?: string;
  readonly severity?: 'error' | 'warning' | 'information';
  /** What, where, what was allowed, and the way out. No PHI beyond what the caller sent. */
  readonly message: string;
  /** FHIRPath of the offending element in what the caller sent, where there is one. */
  readonly expression?: string;
  /** Machine-readable verdict in the project's own CodeSystem, e.g. `insufficient-data`. */
  readonly reason?: string;
}

/** The one error class of the project. Its message says what, where, what was allowed, and the way out. */
export class PredictionError extends Error {
  readonly code: ErrorCode;
  readonly issues: readonly ErrorIssue[];
  /** When the same call may succeed, in whole seconds from now, where that can be told. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { issues?: readonly ErrorIssue[]; cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PredictionError';
    this.code = code;
    this.issues = options.issues ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
