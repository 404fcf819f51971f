import type { RiskAssessment } from '@medplum/fhirtypes';
import { predictionNamingSystem } from './canonical-urls.ts';
import { fhirDateTime } from './duration.ts';
import type { OutcomeFrame } from './outcome-frame.ts';
import type { ResultBody } from './result-body.ts';
import type { ResultRequest } from './result-request.ts';
import type { ResultTimes } from './result-times.ts';
import { type RiskPrediction, riskPrediction } from './risk-prediction.ts';
import { toReference } from './source-reference.ts';

/** A contained RiskAssessment, and what it says of each outcome. */
export interface ReportRisk {
  readonly assessment: RiskAssessment & { id: string };
  /** In the order of the outcomes. */
  readonly said: readonly RiskPrediction[];
}

/** The risks that a report states, as a RiskAssessment inside of it, to which only an extension may point (DR-3). */
export function reportRisk(
  request: ResultRequest,
  outcomes: readonly OutcomeFrame[],
  { subject, encounter, device, basis }: Pick<ResultBody, 'subject' | 'encounter' | 'device' | 'basis'>,
  { id, times }: { readonly id: string; readonly times: ResultTimes },
): ReportRisk {
  const said = outcomes.map((frame) => riskPrediction(request, frame, times, request.scores.get(frame.outcome.id)));
  return {
    said,
    assessment: {
      resourceType: 'RiskAssessment',
      id,
      identifier: [{ system: predictionNamingSystem, value: `${request.identifier}/risk` }],
      status: 'preliminary',
      method: { text: request.frame.method },
      subject,
      ...(encounter === undefined ? {} : { encounter }),
      occurrenceDateTime: fhirDateTime(request.computedAt, request.timeZone),
      performer: device,
      ...(basis.length === 0 ? {} : { basis: basis.map(toReference) }),
      prediction: said.flatMap(({ predictions }) => predictions),
    },
  };
}
