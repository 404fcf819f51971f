import type { Extension, RiskAssessment } from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import {
  aiAsserted,
  extensionUrls,
  modelNamingSystem,
  predictionNamingSystem,
  testHealthData,
} from './canonical-urls.ts';
import { addDuration, fhirDateTime } from './duration.ts';
import { modelIdentifier } from './model-device.ts';
import { resultNarrative } from './narrative.ts';
import { predictionInput } from './prediction-input.ts';
import { remarks } from './remarks.ts';
import type { ResultRequest } from './result-request.ts';
import { type RiskPrediction, riskPrediction } from './risk-prediction.ts';
import { distinctSources, toReference } from './source-reference.ts';

/**
 * Step 5 of the path: the RiskAssessment of one prediction (RA-1 to RA-7, RA-2a), without an id. Outcomes the model
 * may not speak about are named with their reason and have no number.
 * Throws RESULT_INVALID where nothing may be scored, or a score, a label or a band is wrong.
 */
export function buildResult(request: ResultRequest): RiskAssessment {
  const { model, subject, encounter, inputs, computedAt, timeZone } = request;
  const predictions = scoredOutcomes(request);
  const sentences = predictions.map(({ id, label, text }) => ({ outcome: id, label, text }));
  const basis = distinctSources([...inputs.basis, ...[...inputs.features.values()].flatMap(({ sources }) => sources)]);
  const home = subject.own ? '' : `${subject.base}/`;
  return {
    resourceType: 'RiskAssessment',
    meta: { security: request.testData ? [aiAsserted, testHealthData] : [aiAsserted] },
    text: resultNarrative(request, sentences),
    extension: [...times(request), ...inputExtensions(request), ...abstentions(request)],
    identifier: [{ system: predictionNamingSystem, value: request.identifier }],
    status: 'preliminary',
    method: { text: `${model.title} (${model.id} ${model.version})` },
    subject: { reference: `${home}Patient/${subject.id}` },
    ...(encounter === undefined ? {} : { encounter: { reference: `${home}Encounter/${encounter}` } }),
    occurrenceDateTime: fhirDateTime(computedAt, timeZone),
    performer: {
      reference: request.deviceReference,
      identifier: { system: modelNamingSystem, value: modelIdentifier(model) },
      display: `${model.title} ${model.version}`,
    },
    ...(basis.length === 0 ? {} : { basis: basis.map(toReference) }),
    prediction: predictions.map(({ prediction }) => prediction),
    note: remarks(request).map((text) => ({ text })),
  };
}

/** Until when a result of the model may be shown as current. */
export function resultValidUntil({ model, asOf, timeZone }: Pick<ResultRequest, 'model' | 'asOf' | 'timeZone'>): Date {
  return addDuration(asOf, model.manifest.validFor, timeZone);
}

function scoredOutcomes(request: ResultRequest): (RiskPrediction & { readonly id: string; readonly label: string })[] {
  const { model, inputs, scores } = request;
  const scored = model.manifest.outcomes.filter(({ id }) => inputs.verdicts.get(id)?.state === 'score');
  if (scored.length === 0) {
    throw new PredictionError(
      'RESULT_INVALID',
      `${model.id}@${model.version} may score no outcome: an abstention is no RiskAssessment.`,
    );
  }
  return scored.map((outcome) => ({
    id: outcome.id,
    label: outcome.label,
    ...riskPrediction(request, outcome, scores.get(outcome.id)),
  }));
}

function times(request: ResultRequest): Extension[] {
  return [
    { url: extensionUrls.asOf, valueDateTime: fhirDateTime(request.asOf, request.timeZone) },
    { url: extensionUrls.validUntil, valueDateTime: fhirDateTime(resultValidUntil(request), request.timeZone) },
  ];
}

function inputExtensions({ inputs, features, contributions, model }: ResultRequest): Extension[] {
  const all = 'none' in contributions ? [] : contributions;
  return [...inputs.features].map(([name, value]) => {
    const label = features[name];
    if (label === undefined) {
      throw new PredictionError(
        'RESULT_INVALID',
        `Feature ${name} is not in the feature map of ${model.id}@${model.version}.`,
      );
    }
    const own = all.filter(
      ({ feature, outcome }) => feature === name && inputs.verdicts.get(outcome)?.state === 'score',
    );
    return predictionInput(name, label, value, own);
  });
}

function abstentions({ inputs, model }: ResultRequest): Extension[] {
  return model.manifest.outcomes.flatMap(({ id, label }) => {
    const verdict = inputs.verdicts.get(id);
    if (verdict === undefined || verdict.state === 'score') return [];
    return [
      {
        url: extensionUrls.abstention,
        extension: [
          { url: 'outcome', valueCode: id },
          { url: 'label', valueString: label },
          { url: 'verdict', valueCode: verdict.state },
          ...verdict.reasons.map(({ reason }) => ({ url: 'reason', valueString: reason })),
          ...verdict.reasons.map(({ message }) => ({ url: 'detail', valueString: message })),
        ],
      },
    ];
  });
}
