import type {
  Annotation,
  Coding,
  Device,
  Encounter,
  Extension,
  Identifier,
  Meta,
  Narrative,
  Patient,
  Reference,
} from '@medplum/fhirtypes';
import type { SourceReference } from '../features/feature-vector.ts';
import { PredictionError } from '../platform/errors.ts';
import { confidentialityLabel } from '../records/confidentiality.ts';
import {
  aiAsserted,
  extensionUrls,
  modelNamingSystem,
  predictionNamingSystem,
  testHealthData,
} from './canonical-urls.ts';
import { baseOf } from './contribution-amount.ts';
import { explanationExtensions } from './explanation-extension.ts';
import { modelIdentifier } from './model-device.ts';
import { type OutcomeSentence, resultNarrative } from './narrative.ts';
import { predictionInput, type ToldContribution } from './prediction-input.ts';
import { remarks } from './remarks.ts';
import type { ResultRequest } from './result-request.ts';
import type { ResultTimes } from './result-times.ts';
import { distinctSources } from './source-reference.ts';

/** What every result holds, whatever resource it is. */
export interface ResultBody {
  readonly meta: Meta;
  readonly text: Narrative;
  readonly extension: Extension[];
  readonly identifier: Identifier[];
  readonly subject: Reference<Patient>;
  readonly encounter?: Reference<Encounter>;
  /** The order or appointment that it is about, where that was read in the record: a reference that a call names alone may be anybody's. */
  readonly basedOn?: Reference;
  /** The Device of the model version. */
  readonly device: Reference<Device>;
  /** Every resource the result rests on, without repeats. */
  readonly basis: readonly SourceReference[];
  readonly note: Annotation[];
}

/** Label, narrative, inputs with their sources and contributions, abstentions, identity, remarks. */
export function resultBody(
  request: ResultRequest,
  times: ResultTimes,
  sentences: readonly OutcomeSentence[],
): ResultBody {
  const { model, subject, encounter, basedOn, inputs } = request;
  const said = remarks(request);
  const used = [...inputs.basis];
  for (const { sources } of inputs.features.values()) for (const source of sources) used.push(source);
  const home = subject.own ? '' : `${subject.base}/`;
  return {
    meta: { security: securityLabels(request) },
    text: resultNarrative(request, { asOf: times.asOf, sentences, remarks: said }),
    extension: [
      ...times.extensions,
      { url: extensionUrls.modelCard, valueUrl: request.modelCard },
      ...inputExtensions(request),
      ...explanationExtensions(request),
      ...abstentions(request),
    ],
    identifier: [{ system: predictionNamingSystem, value: request.identifier }],
    subject: { reference: `${home}Patient/${subject.id}` },
    ...(encounter === undefined ? {} : { encounter: { reference: `${home}Encounter/${encounter}` } }),
    ...(basedOn === undefined ? {} : { basedOn: { reference: `${home}${basedOn}` } }),
    device: {
      reference: request.deviceReference,
      identifier: { system: modelNamingSystem, value: modelIdentifier(model) },
      display: `${model.title} ${model.version}`,
    },
    basis: distinctSources(used),
    note: said.map((text) => ({ text })),
  };
}

/** AIAST, and what else a reader of the result has to be allowed to see. */
function securityLabels(request: ResultRequest): Coding[] {
  const { confidentiality } = request.inputs;
  return [
    aiAsserted,
    ...(isTestData(request) ? [testHealthData] : []),
    ...(confidentiality === undefined ? [] : [confidentialityLabel(confidentiality)]),
  ];
}

/** Of a subject that is no real person, or by a model that is for none. */
function isTestData({ testData, frame }: ResultRequest): boolean {
  return testData || frame.demonstration !== undefined;
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
function contributionsByFeature({
  explanation,
  frame,
  inputs,
}: ResultRequest): Map<string, ToldContribution[]> | undefined {
  if ('none' in explanation) return undefined;
  const outcomes = new Map(frame.outcomes.map(({ outcome }) => [outcome.id, outcome]));
  const told = new Map<string, ToldContribution[]>();
  for (const { feature, outcome: id, ...rest } of explanation.contributions) {
    const outcome = outcomes.get(id);
    if (outcome === undefined || inputs.verdicts.get(id)?.state !== 'score') continue;
    const those = told.get(feature);
    const each = { outcome, scale: baseOf(explanation, id).scale, ...rest };
    if (those === undefined) told.set(feature, [each]);
    else those.push(each);
  }
  return told;
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
