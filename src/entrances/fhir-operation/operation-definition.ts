import { readFileSync } from 'node:fs';
import type { OperationDefinition } from '@medplum/fhirtypes';

/** The OperationDefinition that an operation is parsed from, as it comes with the package. */
export function operationDefinition(code: 'predict' | 'review'): OperationDefinition {
  const file = new URL(`../../../fhir-profiles/OperationDefinition-${code}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as OperationDefinition;
}
