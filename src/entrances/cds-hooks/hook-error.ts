import { type ErrorCode, PredictionError } from '../../platform/errors.ts';

/** What the path calls a record or images that cannot be had, and CDS Hooks a precondition that failed (CDS-26). */
const unobtainable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'RECORD_UNREACHABLE',
  'IMAGES_UNREACHABLE',
  'SUBJECT_UNKNOWN',
  'RESOURCE_UNKNOWN',
]);
/** What the path calls a contradiction in what was sent, and CDS Hooks a bad request. */
const contradictory: ReadonlySet<ErrorCode> = new Set(['SUBJECT_FOREIGN', 'SEED_CONFLICT']);

/**
 * A failure of the path in the words and statuses of CDS Hooks; what has none of its own stays as it is.
 * @param fhirServer base that the call names: only its origin is repeated, for a path can hold what is nobody else's business
 */
export function hookError(error: unknown, fhirServer?: string): unknown {
  if (!(error instanceof PredictionError)) return error;
  const { code, issues } = error;
  const message =
    fhirServer === undefined ? error.message : error.message.replaceAll(fhirServer, new URL(fhirServer).origin);
  if (unobtainable.has(code)) return new PredictionError('HOOK_DATA_UNOBTAINABLE', message, { cause: error });
  if (contradictory.has(code)) {
    const found = issues.length > 0 ? issues : [{ message }];
    return new PredictionError('PARAMETER_INVALID', message, {
      issues: found.map((issue) => ({ ...issue, code: 'business-rule' })),
      cause: error,
    });
  }
  return error;
}
