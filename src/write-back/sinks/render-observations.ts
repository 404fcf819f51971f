import type { Coding, Observation, Reference, RiskAssessment, RiskAssessmentPrediction } from '@medplum/fhirtypes';
import { extensionUrls } from '../../results/canonical-urls.ts';
import { isDerivable } from '../../results/derivable.ts';
import type { SinkResource } from './render-result.ts';

/** Codes of the predicted outcomes themselves; no code of a disorder is used, since none was observed. */
export const predictedOutcomeSystem = 'https://fhirsight.org/fhir/CodeSystem/predicted-outcome';

/** One Observation per scored outcome: the percentage that the RiskAssessment prints, as of the same instant. */
export function renderObservations(
  result: RiskAssessment,
  { system, value }: { readonly system: string; readonly value: string },
  codes: Readonly<Record<string, Coding>>,
): readonly SinkResource[] {
  return (result.prediction ?? []).flatMap((prediction) => {
    const outcome = prediction.extension?.find(({ url }) => url === extensionUrls.outcomeId)?.valueCode;
    const percent = prediction.extension?.find(({ url }) => url === extensionUrls.percent)?.valueQuantity;
    if (outcome === undefined || percent === undefined) return [];
    const identifier = { system, value: `${value}-${outcome}` };
    const siteCode = codes[outcome];
    const coding = [
      ...(siteCode === undefined ? [] : [siteCode]),
      { system: predictedOutcomeSystem, code: outcome, display: prediction.outcome?.text ?? outcome },
    ];
    const resource: Observation = {
      resourceType: 'Observation',
      ...(result.meta === undefined ? {} : { meta: result.meta }),
      extension: (result.extension ?? []).filter(
        ({ url }) => url === extensionUrls.asOf || url === extensionUrls.validUntil || url === extensionUrls.modelCard,
      ),
      identifier: [identifier],
      status: 'preliminary',
      code: { coding, text: `Predicted risk: ${prediction.outcome?.text ?? outcome}` },
      subject: result.subject as Observation['subject'] & object,
      ...(result.encounter === undefined ? {} : { encounter: result.encounter }),
      ...effective(result),
      ...issued(result),
      valueQuantity: percent,
      ...(prediction.qualitativeRisk === undefined ? {} : { interpretation: [prediction.qualitativeRisk] }),
      ...(result.method === undefined ? {} : { method: result.method }),
      ...(result.performer === undefined ? {} : { device: result.performer as Observation['device'] & object }),
      ...derivedFrom(result),
      note: [...rationale(prediction), ...(result.note ?? [])],
    };
    return [{ identifier, resource }];
  });
}

function effective({ extension = [] }: RiskAssessment): Pick<Observation, 'effectiveDateTime'> {
  const asOf = extension.find(({ url }) => url === extensionUrls.asOf)?.valueDateTime;
  return asOf === undefined ? {} : { effectiveDateTime: asOf };
}

function issued({ occurrenceDateTime }: RiskAssessment): Pick<Observation, 'issued'> {
  return occurrenceDateTime === undefined ? {} : { issued: new Date(occurrenceDateTime).toISOString() };
}

function derivedFrom({ basis = [] }: RiskAssessment): Pick<Observation, 'derivedFrom'> {
  const sources = basis.filter(
    ({ reference, identifier }: Reference) =>
      isDerivable(reference ?? '') || (reference === undefined && isDerivable(identifier?.value ?? '')),
  );
  return sources.length === 0 ? {} : { derivedFrom: sources as Observation['derivedFrom'] & object };
}

function rationale({ rationale: text }: RiskAssessmentPrediction): { text: string }[] {
  return text === undefined ? [] : [{ text }];
}
