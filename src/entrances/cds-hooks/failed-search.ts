import type { OperationOutcome } from '@medplum/fhirtypes';

/** Codes of FHIR's issue-type for what passes: the same question may be answered when it is asked again. */
const passing: ReadonlySet<string> = new Set([
  'transient',
  'lock-error',
  'no-store',
  'exception',
  'timeout',
  'incomplete',
  'throttled',
]);

/** A search that the client says has failed. */
export interface FailedSearch {
  /** Of FHIR's issue-type: the first error that the client names. */
  readonly code: string;
  /** True where the same question may be answered when it is asked once more: then that is no blind retry (CDS-24). */
  readonly passes: boolean;
}

/**
 * What an OperationOutcome in the place of an answer says. Of several errors one that does not pass decides; an outcome
 * without an error in the place of an answer is a failure too.
 */
export function failedSearch({ issue }: OperationOutcome): FailedSearch {
  const errors = issue.filter(({ severity }) => isError(severity));
  const lasting = errors.find(({ code }) => !passing.has(code));
  const [first] = errors.length > 0 ? errors : issue;
  const code = lasting?.code ?? first?.code ?? 'unknown';
  return { code, passes: errors.length > 0 && lasting === undefined };
}

/** Whether an outcome beside the matches of a search says that a part of it failed. */
export function hasFailed({ issue }: OperationOutcome): boolean {
  return issue.some(({ severity }) => isError(severity));
}

function isError(severity: string): boolean {
  return severity === 'error' || severity === 'fatal';
}
