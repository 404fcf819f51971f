import type { Reference } from '@medplum/fhirtypes';
import type { ResultResource } from '../../results/result-resource.ts';

/** How a result names the Device of its model. */
export function deviceOf(result: ResultResource): Reference | undefined {
  if (result.resourceType === 'RiskAssessment') return result.performer;
  if (result.resourceType === 'Observation') return result.device;
  // R4 gives a report no place for a Device: what it contains names it.
  for (const part of result.contained ?? []) {
    if (part.resourceType === 'Observation' && part.device !== undefined) return part.device;
    if (part.resourceType === 'RiskAssessment' && part.performer !== undefined) return part.performer;
  }
  return undefined;
}
