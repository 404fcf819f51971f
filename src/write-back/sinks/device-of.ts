import type { Reference } from '@medplum/fhirtypes';
import type { ResultResource } from '../../results/result-resource.ts';

/** How a result names the Device of its model. */
export function deviceOf(result: ResultResource): Reference | undefined {
  return result.resourceType === 'RiskAssessment' ? result.performer : result.device;
}
