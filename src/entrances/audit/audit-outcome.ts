import type { ErrorCode } from '../../platform/errors.ts';

/** What the caller can mend: AuditEvent.outcome 4, "minor failure". */
export const callersCodes: readonly ErrorCode[] = [
  'PARAMETER_INVALID',
  'RESOURCE_INVALID',
  'RESOURCE_UNKNOWN',
  'RESOURCE_DELETED',
  'MODEL_UNKNOWN',
  'SUBJECT_UNKNOWN',
  'SUBJECT_FOREIGN',
  'SEED_CONFLICT',
  'AS_OF_IN_FUTURE',
  'WHAT_IF_NOT_WRITABLE',
];

/** Bugs: AuditEvent.outcome 12, "major failure". All others are 8, "serious failure": this server or another one failed. */
export const failuresCodes: readonly ErrorCode[] = ['INTERNAL', 'RESULT_INVALID', 'INFERENCE_FAILED'];

/** AuditEvent.outcome of a prediction; an abstention is a result and no failure. */
export function auditOutcome(code: ErrorCode | null): '0' | '4' | '8' | '12' {
  if (code === null) return '0';
  if (callersCodes.includes(code)) return '4';
  return failuresCodes.includes(code) ? '12' : '8';
}
