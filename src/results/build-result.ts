import { PredictionError } from '../platform/errors.ts';
import { buildDiagnosticReport } from './build-diagnostic-report.ts';
import { buildObservation } from './build-observation.ts';
import { buildRiskAssessment } from './build-risk-assessment.ts';
import { addDuration } from './duration.ts';
import type { OutcomeFrame } from './outcome-frame.ts';
import type { ResultRequest } from './result-request.ts';
import type { ResultResource } from './result-resource.ts';

/**
 * Step 5 of the path: the resource of one prediction, without an id: a RiskAssessment (RA-1 to RA-7, RA-2a), or an
 * Observation (OB-1 to OB-3) where the model gives no probabilities, or a DiagnosticReport (DR-1 to DR-5) where its manifest says so. Outcomes the model may not speak about are named with
 * their reason and have no number.
 * Throws RESULT_INVALID where nothing may be scored, or a score, a label or a band is wrong.
 */
export function buildResult(request: ResultRequest): ResultResource {
  const outcomes = scoredOutcomes(request);
  switch (request.frame.form) {
    case 'RiskAssessment':
      return buildRiskAssessment(request, outcomes);
    case 'Observation':
      return buildObservation(request, outcomes);
    case 'DiagnosticReport':
      return buildDiagnosticReport(request, outcomes);
  }
}

/** Until when a result of the model may be shown as current. */
export function resultValidUntil({ model, asOf, timeZone }: Pick<ResultRequest, 'model' | 'asOf' | 'timeZone'>): Date {
  return addDuration(asOf, model.manifest.validFor, timeZone);
}

function scoredOutcomes({ model, frame, inputs }: ResultRequest): OutcomeFrame[] {
  const scored = frame.outcomes.filter(({ outcome }) => inputs.verdicts.get(outcome.id)?.state === 'score');
  if (scored.length === 0) {
    throw new PredictionError(
      'RESULT_INVALID',
      `${model.id}@${model.version} may score no outcome: an abstention is no result.`,
    );
  }
  return scored;
}
