import { getStatus, OperationOutcomeError } from '@medplum/core';
import type { OperationOutcome } from '@medplum/fhirtypes';
import type { ErrorRequestHandler, Response } from 'express';
import { operationOutcome } from '../fhir/operation-outcome.ts';
import { type ErrorCode, PredictionError } from '../platform/errors.ts';
import { requestContext } from './request-context.ts';
import { sendResource } from './send-resource.ts';

/** Where each error code goes: the HTTP status, and the issue code of a finding that names none itself. */
const responses: Readonly<Record<ErrorCode, readonly [status: number, issueCode: string]>> = {
  BODY_UNPARSEABLE: [400, 'structure'],
  BODY_TOO_LARGE: [413, 'too-long'],
  CONTENT_TYPE_UNSUPPORTED: [415, 'not-supported'],
  NOT_ACCEPTABLE: [406, 'not-supported'],
  RESOURCE_INVALID: [400, 'invalid'],
  PARAMETER_INVALID: [400, 'value'],
  HOST_REFUSED: [403, 'forbidden'],
  UNAUTHENTICATED: [401, 'login'],
  FORBIDDEN: [403, 'forbidden'],
  RATE_LIMITED: [429, 'throttled'],
  ISSUER_UNREACHABLE: [503, 'transient'],
  METHOD_NOT_ALLOWED: [405, 'not-supported'],
  OPERATION_UNKNOWN: [404, 'not-supported'],
  RESOURCE_UNKNOWN: [404, 'not-found'],
  RESOURCE_DELETED: [410, 'deleted'],
  VERSION_CONFLICT: [412, 'conflict'],
  MULTIPLE_MATCHES: [412, 'multiple-matches'],
  MODEL_UNKNOWN: [404, 'not-found'],
  MODEL_NOT_READY: [503, 'transient'],
  MODEL_DISABLED: [422, 'business-rule'],
  MODEL_INVALID: [500, 'exception'],
  SUBJECT_UNKNOWN: [404, 'not-found'],
  SUBJECT_FOREIGN: [422, 'business-rule'],
  SEED_CONFLICT: [422, 'business-rule'],
  RECORD_UNREACHABLE: [503, 'transient'],
  IMAGES_UNREACHABLE: [503, 'transient'],
  HOOK_DATA_UNOBTAINABLE: [412, 'incomplete'],
  AS_OF_IN_FUTURE: [422, 'business-rule'],
  WHAT_IF_NOT_WRITABLE: [422, 'business-rule'],
  DEMONSTRATION_ONLY: [422, 'business-rule'],
  VERSION_NOT_WRITABLE: [422, 'business-rule'],
  ABSTAINED: [422, 'business-rule'],
  INFERENCE_FAILED: [500, 'exception'],
  ENGINE_UNAVAILABLE: [503, 'transient'],
  OVERLOADED: [503, 'throttled'],
  DEADLINE_EXCEEDED: [504, 'timeout'],
  RESULT_INVALID: [500, 'exception'],
  WRITE_REJECTED: [503, 'transient'],
  WRITE_CONFLICT: [409, 'conflict'],
  VERSION_REQUIRED: [428, 'required'],
  REPORT_NOT_REVIEWABLE: [422, 'business-rule'],
  REVIEW_CONFLICT: [409, 'conflict'],
  VERSION_STATE_CONFLICT: [409, 'conflict'],
  RUN_UNKNOWN: [404, 'not-found'],
  RUN_CONFLICT: [409, 'conflict'],
  STORAGE_FULL: [503, 'no-store'],
  DATABASE_UNAVAILABLE: [503, 'transient'],
  STARTING: [503, 'transient'],
  SHUTTING_DOWN: [503, 'transient'],
  CONFIG_INVALID: [500, 'exception'],
  DATA_DIR_LOCKED: [500, 'exception'],
  INTERNAL: [500, 'exception'],
};

/** Another server was asked: one that hung is 504. */
const ofOthers: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['RECORD_UNREACHABLE', 'IMAGES_UNREACHABLE']);

/** Where nothing better is known. */
const usualRetryAfterSeconds = 5;

export interface ErrorDescription {
  readonly status: number;
  /** Seconds, for a failure that passes by itself. */
  readonly retryAfterSeconds?: number;
  readonly outcome: OperationOutcome;
}

/**
 * The one place where an error becomes a status and an OperationOutcome. What is not a PredictionError is a bug: its
 * text stays inside, and the caller gets the id by which the log has it.
 */
export function describeError(error: unknown, requestId: string): ErrorDescription {
  if (error instanceof OperationOutcomeError)
    return { status: getStatus(error.outcome), outcome: withoutId(error.outcome) };
  if (isMalformedUrl(error))
    return describePrediction(new PredictionError('PARAMETER_INVALID', 'The URL is not validly encoded.'));
  if (error instanceof PredictionError && error.code !== 'INTERNAL') return describePrediction(error);
  const message = `The server failed on this request, and nothing is known to be wrong with it. The log has it as request ${requestId}.`;
  return { status: 500, outcome: operationOutcome([{ message }], 'exception') };
}

function describePrediction(error: PredictionError): ErrorDescription {
  const hung = ofOthers.has(error.code) && error.issues.some((issue) => issue.code === 'timeout');
  const [status, issueCode] = hung ? [504, 'timeout'] : responses[error.code];
  const issues = error.issues.length > 0 ? error.issues : [{ message: error.message }];
  const retryAfterSeconds =
    error.retryAfterSeconds ?? (status === 503 || status === 429 ? usualRetryAfterSeconds : undefined);
  return {
    status,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    outcome: operationOutcome(issues, issueCode),
  };
}

/** Answers every error of a route. Statuses that pass by themselves carry Retry-After. */
export const errorResponse: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  const context = requestContext(response);
  const { status, retryAfterSeconds, outcome } = describeError(error, context.requestId);
  context.errorCode = error instanceof PredictionError ? error.code : 'INTERNAL';
  context.logger.event({ name: 'request.failed', status, error });
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
  nameTheWayIn(response, status, error);
  sendResource(response, status, outcome);
};

/** RFC 6750: what is needed, and nothing of what was wrong with what came (SM-22, CDS-67). */
function nameTheWayIn(response: Response, status: number, error: unknown): void {
  if (response.hasHeader('WWW-Authenticate')) return;
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="fhirsight"');
  else if (error instanceof PredictionError && error.code === 'FORBIDDEN')
    response.setHeader('WWW-Authenticate', 'Bearer realm="fhirsight", error="insufficient_scope"');
}

/** Express throws a plain URIError with a status for a path that cannot be decoded. */
function isMalformedUrl(error: unknown): boolean {
  return error instanceof URIError;
}

/** Outcomes of the FHIR library carry ids that name its constants. */
function withoutId({ id: _id, ...outcome }: OperationOutcome): OperationOutcome {
  return outcome;
}
