import type { Observation, ObservationComponent } from '@medplum/fhirtypes';
import { instantRange } from '../fhir/instant-range.ts';
import type { ObservedOutcome } from '../model-catalog/outcome-schema.ts';
import { PredictionError } from '../platform/errors.ts';
import { extensionUrls } from './canonical-urls.ts';
import { isDerivable } from './derivable.ts';
import { largestContributions } from './largest-contributions.ts';
import type { OutcomeSentence } from './narrative.ts';
import { observedValue } from './observed-value.ts';
import type { OutcomeFrame } from './outcome-frame.ts';
import { resultBody } from './result-body.ts';
import type { ResultRequest } from './result-request.ts';
import { toReference } from './source-reference.ts';

/**
 * Points, measurements, classes and anomalies as an Observation: the first outcome that has a score is its value, each other one a
 * component. Throws RESULT_INVALID for two scores under one code (obs-7).
 * @param outcomes those that have a score, in the order of the manifest
 */
export function buildObservation(request: ResultRequest, outcomes: readonly OutcomeFrame[]): Observation {
  const { frame, computedAt, timeZone } = request;
  const times = frame.timesOf(request.asOf, timeZone);
  const [main] = outcomes;
  if (main === undefined) throw new RangeError('a result has a score');
  const values = outcomes.map((outcome) => ({
    outcome,
    ...observedValue(request, outcome, request.scores.get(outcome.outcome.id)),
  }));
  refuseSharedCodes(request, outcomes);
  const sentences = values.map(
    ({ outcome, xhtml }): OutcomeSentence => ({
      outcome: outcome.outcome,
      xhtml: `${outcome.labelXhtml}: ${xhtml}`,
    }),
  );
  const [own, ...others] = values;
  const component = others.map(
    ({ outcome, extension: beside, value }): ObservationComponent => ({
      extension: [outcome.id, ...beside],
      code: outcome.concept,
      ...value,
    }),
  );
  const { meta, text, extension, identifier, subject, encounter, device, basis, note } = resultBody(
    request,
    times,
    sentences,
  );
  const derivedFrom = basis
    .filter(({ reference = '' }) => isDerivable(reference))
    .map((source) => toReference(source) as NonNullable<Observation['derivedFrom']>[number]);
  return {
    resourceType: 'Observation',
    meta,
    text,
    extension: [{ url: extensionUrls.outcomeId, valueCode: main.outcome.id }, ...(own?.extension ?? []), ...extension],
    identifier,
    status: 'preliminary',
    code: main.concept,
    subject,
    ...(encounter === undefined ? {} : { encounter }),
    effectiveDateTime: effectiveAt(request, main) ?? times.asOf,
    issued: computedAt.toISOString(),
    ...own?.value,
    method: { text: frame.method },
    device,
    ...(derivedFrom.length === 0 ? {} : { derivedFrom }),
    ...(component.length === 0 ? {} : { component }),
    note: [...note, ...contributionNotes(request, outcomes)],
  };
}

/**
 * When what the outcome is made of was measured, where its manifest says which features that are: a number of last year is
 * no number of today. A date without a time is a day of the site, as it was when the features were read.
 */
function effectiveAt({ inputs, timeZone }: ResultRequest, { outcome }: OutcomeFrame): string | undefined {
  const { effective = [] } = outcome as ObservedOutcome;
  let newest: { readonly at: string; readonly start: number } | undefined;
  for (const name of effective) {
    const value = inputs.features.get(name);
    const at = value !== undefined && 'at' in value ? value.at : undefined;
    const start = at === undefined ? undefined : instantRange(at, timeZone)?.start;
    if (at === undefined || start === undefined) continue;
    if (newest === undefined || start > newest.start) newest = { at, start };
  }
  return newest?.at;
}

/** An Observation has no rationale: what moved each score most is a note. */
function contributionNotes(request: ResultRequest, outcomes: readonly OutcomeFrame[]): { text: string }[] {
  return outcomes.flatMap(({ outcome }) => {
    const sentence = largestContributions(request, outcome);
    return sentence === undefined ? [] : [{ text: outcomes.length === 1 ? sentence : `${outcome.label}: ${sentence}` }];
  });
}

function refuseSharedCodes({ model }: ResultRequest, outcomes: readonly OutcomeFrame[]): void {
  const codes = outcomes.flatMap(({ outcome }) =>
    (outcome.coding ?? []).map(({ system, code }) => JSON.stringify([system, code])),
  );
  if (new Set(codes).size === codes.length) return;
  throw new PredictionError(
    'RESULT_INVALID',
    `${model.id}@${model.version} gives two scores under one code: a reader could not tell them apart.`,
  );
}
