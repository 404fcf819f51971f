import type { OperationOutcomeIssue, Resource } from '@medplum/fhirtypes';
import { checkResource } from './checked/check-resource.ts';

/** What `checkResource` finds, as issues. */
export function strictR4Issues(resource: Resource): OperationOutcomeIssue[] {
  return checkResource(resource).map(({ path, message }) => ({
    severity: 'error',
    code: 'invalid',
    diagnostics: message,
    expression: [path],
  }));
}
