import { PredictionError } from '../../platform/errors.ts';
import type { Principal } from '../principal.ts';
import { type DataNeed, launchPatientOnly, requireData } from './fhir-data.ts';
import { requirePermission } from './permissions.ts';

/**
 * Throws FORBIDDEN where a principal may not ask for a prediction about a patient, which reads and writes `needs`. Whoever has
 * `patient/` scopes only asks about the patient of its launch, also where nothing is read.
 */
export function requirePrediction(principal: Principal, subject: string, needs: readonly DataNeed[]): void {
  requirePermission(principal, 'predictions.make');
  const launched = launchPatientOnly(principal.fhir);
  if (launched !== undefined && launched !== subject)
    throw new PredictionError('FORBIDDEN', 'The token is about another patient: ask about the patient of its launch.');
  requireData(principal, needs, subject);
}
