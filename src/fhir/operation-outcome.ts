import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { ErrorIssue } from '../platform/errors.ts';

/** The code system of the project's own verdicts, which `issue.details` carries. */
export const verdictSystem = 'https://fhirsight.org/fhir/CodeSystem/prediction-verdict';

/** An OperationOutcome with one issue per finding. `defaultCode` stands where a finding names none. */
export function operationOutcome(issues: readonly ErrorIssue[], defaultCode: string): OperationOutcome {
  return { resourceType: 'OperationOutcome', issue: issues.map((issue) => outcomeIssue(issue, defaultCode)) };
}

function outcomeIssue(issue: ErrorIssue, defaultCode: string): OperationOutcomeIssue {
  return {
    severity: issue.severity ?? 'error',
    code: (issue.code ?? defaultCode) as OperationOutcomeIssue['code'],
    ...(issue.reason === undefined
      ? {}
      : { details: { coding: [{ system: verdictSystem, code: issue.reason }], text: issue.message } }),
    diagnostics: issue.message,
    ...(issue.expression === undefined ? {} : { expression: [issue.expression] }),
  };
}

/** The outcome of something that went well. */
export function successOutcome(message: string): OperationOutcome {
  return {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational', diagnostics: message }],
  };
}
