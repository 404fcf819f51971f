import type { RiskAssessment, RiskAssessmentPrediction } from '@medplum/fhirtypes';
import { fhirDateTime } from './duration.ts';
import type { OutcomeSentence } from './narrative.ts';
import type { OutcomeFrame } from './outcome-frame.ts';
import { resultBody } from './result-body.ts';
import type { ResultRequest } from './result-request.ts';
import { riskPrediction } from './risk-prediction.ts';
import { toReference } from './source-reference.ts';

/** Probabilities as a RiskAssessment: one prediction for each outcome that is scored, and of a curve for each of its times. */
export function buildRiskAssessment(request: ResultRequest, outcomes: readonly OutcomeFrame[]): RiskAssessment {
  const { frame, computedAt, timeZone } = request;
  const times = frame.timesOf(request.asOf, timeZone);
  const sentences: OutcomeSentence[] = [];
  const prediction: RiskAssessmentPrediction[] = [];
  for (const outcome of outcomes) {
    const risk = riskPrediction(request, outcome, times, request.scores.get(outcome.outcome.id));
    prediction.push(...risk.predictions);
    sentences.push({ outcome: outcome.outcome, xhtml: `${outcome.labelXhtml}: ${risk.xhtml}` });
  }
  const { meta, text, extension, identifier, subject, encounter, basedOn, device, basis, note } = resultBody(
    request,
    times,
    sentences,
  );
  return {
    resourceType: 'RiskAssessment',
    meta,
    text,
    extension,
    identifier,
    ...(basedOn === undefined ? {} : { basedOn }),
    status: 'preliminary',
    method: { text: frame.method },
    subject,
    ...(encounter === undefined ? {} : { encounter }),
    occurrenceDateTime: fhirDateTime(computedAt, timeZone),
    performer: device,
    ...(basis.length === 0 ? {} : { basis: basis.map(toReference) }),
    prediction,
    note,
  };
}
