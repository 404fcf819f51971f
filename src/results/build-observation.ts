import type { Observation, ObservationComponent } from '@medplum/fhirtypes';
import type { SourceReference } from '../features/feature-vector.ts';
import { dataAbsentReasonSystem, extensionUrls } from './canonical-urls.ts';
import type { OutcomeSentence } from './narrative.ts';
import { observedValue } from './observed-value.ts';
import type { OutcomeFrame } from './outcome-frame.ts';
import { resultBody } from './result-body.ts';
import type { ResultRequest } from './result-request.ts';
import { toReference } from './source-reference.ts';

/** What an Observation of R4 may be derived from; all that a result rests on stands in its inputs and its Provenance. */
const derivable =
  /(^|\/)(DocumentReference|ImagingStudy|Media|QuestionnaireResponse|Observation|MolecularSequence)\/[^/]+(\/_history\/[^/]+)?$/;

/**
 * Points, measurements and classes as an Observation: the first outcome of the manifest is its value, each other one a
 * component. Where the model abstains about the first, the value is absent with the reason.
 */
export function buildObservation(request: ResultRequest, outcomes: readonly OutcomeFrame[]): Observation {
  const { frame, computedAt, timeZone } = request;
  const times = frame.timesOf(request.asOf, timeZone);
  const sentences: OutcomeSentence[] = [];
  const [main] = frame.outcomes;
  if (main === undefined) throw new RangeError('a model without outcomes has no result');
  let own: Partial<Observation> = { dataAbsentReason: withheld(request, main) };
  const component: ObservationComponent[] = [];
  for (const outcome of outcomes) {
    const { value, xhtml } = observedValue(request, outcome, request.scores.get(outcome.outcome.id));
    sentences.push({ outcome: outcome.outcome, xhtml: `${outcome.labelXhtml}: ${xhtml}` });
    if (outcome === main) own = value;
    else component.push({ extension: [outcome.id], code: outcome.concept, ...value });
  }
  const { meta, text, extension, identifier, subject, encounter, device, basis, note } = resultBody(
    request,
    times,
    sentences,
  );
  const derivedFrom = basis.filter(({ reference = '' }) => derivable.test(reference)).map(observed);
  return {
    resourceType: 'Observation',
    meta,
    text,
    extension: [{ url: extensionUrls.outcomeId, valueCode: main.outcome.id }, ...extension],
    identifier,
    status: 'preliminary',
    code: main.concept,
    subject,
    ...(encounter === undefined ? {} : { encounter }),
    effectiveDateTime: times.asOf,
    issued: computedAt.toISOString(),
    ...own,
    method: { text: frame.method },
    device,
    ...(derivedFrom.length === 0 ? {} : { derivedFrom }),
    ...(component.length === 0 ? {} : { component }),
    note,
  };
}

function withheld({ inputs }: ResultRequest, { outcome }: OutcomeFrame): Observation['dataAbsentReason'] {
  const verdict = inputs.verdicts.get(outcome.id);
  const reasons = verdict === undefined || verdict.state === 'score' ? [] : verdict.reasons;
  return {
    coding: [{ system: dataAbsentReasonSystem, code: 'not-performed' }],
    text: `Withheld: ${reasons.map(({ message }) => message).join('; ')}`,
  };
}

function observed(source: SourceReference): NonNullable<Observation['derivedFrom']>[number] {
  return toReference(source) as NonNullable<Observation['derivedFrom']>[number];
}
