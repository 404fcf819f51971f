import type { Observation } from '@medplum/fhirtypes';
import { predictionNamingSystem } from './canonical-urls.ts';
import { isDerivable } from './derivable.ts';
import { type ObservedValue, observedValue } from './observed-value.ts';
import type { OutcomeFrame } from './outcome-frame.ts';
import type { ResultBody } from './result-body.ts';
import type { ResultRequest } from './result-request.ts';
import { toReference } from './source-reference.ts';
import { isImagingStudy } from './study-of.ts';

type Basis = Pick<ResultBody, 'subject' | 'encounter' | 'device' | 'basis'>;

const imaging = {
  coding: [
    { system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'imaging', display: 'Imaging' },
  ],
};

/**
 * One finding of a report as an Observation inside of it (OB-1 to OB-3): what the model says, by which Device, of which study.
 * Without labels of its own, which a contained resource may not have (dom-5).
 * @param id by which the report refers to it
 * @param at when the study began
 */
export function reportFinding(
  request: ResultRequest,
  frame: OutcomeFrame,
  { subject, encounter, device, basis }: Basis,
  { id, at }: { readonly id: string; readonly at: string },
): { readonly observation: Observation & { id: string }; readonly said: ObservedValue } {
  const said = observedValue(request, frame, request.scores.get(frame.outcome.id));
  const studies = basis.filter(isImagingStudy).map((source) => toReference(source));
  const derivedFrom = basis.filter(({ reference = '' }) => isDerivable(reference)).map((source) => toReference(source));
  return {
    said,
    observation: {
      resourceType: 'Observation',
      id,
      extension: [frame.id, ...said.extension],
      identifier: [{ system: predictionNamingSystem, value: `${request.identifier}/${frame.outcome.id}` }],
      ...(studies.length === 0 ? {} : { partOf: studies as NonNullable<Observation['partOf']> }),
      status: 'preliminary',
      category: [imaging],
      code: frame.concept,
      subject,
      ...(encounter === undefined ? {} : { encounter }),
      effectiveDateTime: at,
      issued: request.computedAt.toISOString(),
      ...said.value,
      method: { text: request.frame.method },
      device,
      ...(derivedFrom.length === 0 ? {} : { derivedFrom: derivedFrom as NonNullable<Observation['derivedFrom']> }),
    },
  };
}
