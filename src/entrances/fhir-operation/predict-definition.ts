import { readFileSync } from 'node:fs';
import type { OperationDefinition } from '@medplum/fhirtypes';

/** The OperationDefinition that `$predict` is parsed from, as it comes with the package. */
export function predictDefinition(): OperationDefinition {
  const file = new URL('../../../fhir-profiles/OperationDefinition-predict.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as OperationDefinition;
}
