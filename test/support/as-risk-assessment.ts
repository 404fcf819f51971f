import type { Resource, RiskAssessment } from '@medplum/fhirtypes';

/** The resource, which must be a RiskAssessment. */
export function asRiskAssessment(resource: Resource | undefined): RiskAssessment {
  if (resource?.resourceType !== 'RiskAssessment') throw new Error(`not a RiskAssessment: ${resource?.resourceType}`);
  return resource;
}
