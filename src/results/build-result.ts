import type { Extension, RiskAssessment, RiskAssessmentPrediction } from '@medplum/fhirtypes';
import type { Contribution } from '../explanation/contribution.ts';
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
import { type OutcomeSentence, resultNarrative } from './narrative.ts';
import type { OutcomeFrame } from './outcome-frame.ts';
import { predictionInput } from './prediction-input.ts';
import { remarks } from './remarks.ts';
import type { ResultRequest } from './result-request.ts';
import { riskPrediction } from './risk-prediction.ts';
import { distinctSources, toReference } from './source-reference.ts';

/**
 * Step 5 of the path: the RiskAssessment of one prediction (RA-1 to RA-7, RA-2a), without an id. Outcomes the model
 * may not speak about are named with their reason and have no number.
 * Throws RESULT_INVALID where nothing may be scored, or a score, a label or a band is wrong.
 */
export function buildResult(request: ResultRequest): RiskAssessment {
  const { model, frame, subject, encounter, inputs, computedAt, timeZone } = request;
  const times = frame.timesOf(request.asOf, timeZone);
  const sentences: OutcomeSentence[] = [];
  const prediction: RiskAssessmentPrediction[] = [];
  for (const outcome of scoredOutcomes(request)) {
    const { id, label } = outcome.outcome;
    const risk = riskPrediction(request, outcome, times, request.scores.get(id));
    prediction.push(risk.prediction);
    sentences.push({ outcome: id, label, xhtml: `${outcome.labelXhtml}: ${risk.xhtml}` });
  }
  const said = remarks(request);
  const used = [...inputs.basis];
  for (const { sources } of inputs.features.values()) for (const source of sources) used.push(source);
  const basis = distinctSources(used);
  const home = subject.own ? '' : `${subject.base}/`;
  return {
    resourceType: 'RiskAssessment',
    meta: { security: request.testData ? [aiAsserted, testHealthData] : [aiAsserted] },
    text: resultNarrative(request, { asOf: times.asOf, sentences, remarks: said }),
    extension: [...times.extensions, ...inputExtensions(request), ...abstentions(request)],
    identifier: [{ system: predictionNamingSystem, value: request.identifier }],
    status: 'preliminary',
    method: { text: frame.method },
    subject: { reference: `${home}Patient/${subject.id}` },
    ...(encounter === undefined ? {} : { encounter: { reference: `${home}Encounter/${encounter}` } }),
    occurrenceDateTime: fhirDateTime(computedAt, timeZone),
    performer: {
      reference: request.deviceReference,
      identifier: { system: modelNamingSystem, value: modelIdentifier(model) },
      display: `${model.title} ${model.version}`,
    },
    ...(basis.length === 0 ? {} : { basis: basis.map(toReference) }),
    prediction,
    note: said.map((text) => ({ text })),
  };
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
      `${model.id}@${model.version} may score no outcome: an abstention is no RiskAssessment.`,
    );
  }
  return scored;
}

function inputExtensions(request: ResultRequest): Extension[] {
  const { inputs, frame, model } = request;
  const contributions = contributionsByFeature(request);
  const extensions: Extension[] = [];
  for (const [name, value] of inputs.features) {
    const input = frame.inputs.get(name);
    if (input === undefined) {
      throw new PredictionError(
        'RESULT_INVALID',
        `Feature ${name} is not in the feature map of ${model.id}@${model.version}.`,
      );
    }
    extensions.push(predictionInput(input, value, contributions?.get(name)));
  }
  return extensions;
}

/** To the outcomes that are scored; undefined where there are none. */
function contributionsByFeature({ contributions, inputs }: ResultRequest): Map<string, Contribution[]> | undefined {
  if ('none' in contributions) return undefined;
  const scored = contributions.filter(({ outcome }) => inputs.verdicts.get(outcome)?.state === 'score');
  return Map.groupBy(scored, ({ feature }) => feature);
}

function abstentions({ inputs, frame }: ResultRequest): Extension[] {
  return frame.outcomes.flatMap(({ outcome, abstention }) => {
    const verdict = inputs.verdicts.get(outcome.id);
    if (verdict === undefined || verdict.state === 'score') return [];
    return [
      {
        url: extensionUrls.abstention,
        extension: [
          ...abstention,
          { url: 'verdict', valueCode: verdict.state },
          ...verdict.reasons.map(({ reason }) => ({ url: 'reason', valueString: reason })),
          ...verdict.reasons.map(({ message }) => ({ url: 'detail', valueString: message })),
        ],
      },
    ];
  });
}
