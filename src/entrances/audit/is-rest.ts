import type { Entrance } from '../../prediction/prediction-request.ts';

/** Whether predictions of an entrance come by REST: what AuditEvent.type says of them. */
export function isRest(entrance: Entrance): boolean {
  return entrance === 'fhir-operation' || entrance === 'cds-hooks';
}
