import type { CodeableConcept, DiagnosticReport, Extension, Observation, RiskAssessment } from '@medplum/fhirtypes';
import type { Coding } from '../imaging/objects/coded-entry.ts';
import type { ReportContent } from '../imaging/objects/comprehensive-report.ts';
import type { ReportedOutcome } from '../imaging/objects/reported-outcome.ts';
import { PredictionError } from '../platform/errors.ts';
import { extensionUrls, ucumSystem } from './canonical-urls.ts';

/** Outcomes that no terminology has a code for: their meaning is in the manifest of the model. */
const outcomeSystem = (modelId: string): string => `https://fhirsight.org/fhir/CodeSystem/outcome-${modelId}`;

type Said = ReportedOutcome['said'];
type Risk = NonNullable<RiskAssessment['prediction']>[number];

/**
 * What a report of ours says, for a structured report of DICOM: its findings, its risks in percent, and every outcome of which the
 * model abstains, with the reason. Numbers are those of the report. Throws RESULT_INVALID for a report that a person has rejected, and for
 * a part that is none of these: a structured report that leaves something out says something else.
 */
export function reportContent(
  { code, status, contained = [], extension = [], conclusion }: DiagnosticReport,
  modelId: string,
): ReportContent {
  if (status === 'entered-in-error')
    throw new PredictionError(
      'RESULT_INVALID',
      'A person has rejected the report: no document is made of what was withdrawn.',
    );
  if (conclusion === undefined) throw notTold('a report without a conclusion');
  const codingOf = (concept: CodeableConcept | undefined, id: string): Coding => {
    const coded = concept?.coding?.find(({ system, code: value }) => system !== undefined && value !== undefined);
    const display = coded?.display ?? concept?.text ?? id;
    return coded?.system === undefined || coded.code === undefined
      ? { system: outcomeSystem(modelId), code: id, display }
      : { system: coded.system, code: coded.code, display };
  };
  const outcomeOf = (id: string, concept: CodeableConcept | undefined, said: Said): ReportedOutcome => ({
    id,
    concept: codingOf(concept, id),
    said,
  });
  const outcomes = contained.flatMap((part): ReportedOutcome[] => {
    switch (part.resourceType) {
      case 'Observation': {
        const id = outcomeId(part);
        const { valueCodeableConcept: value } = part;
        return [
          outcomeOf(
            id,
            part.code,
            value === undefined ? amount(part, id) : { kind: 'code', value: codingOf(value, id) },
          ),
        ];
      }
      case 'RiskAssessment':
        return (part.prediction ?? []).map((risk) => outcomeOf(outcomeId(risk), risk.outcome, percentage(risk)));
      case 'Media':
        return [];
      default:
        throw notTold(part.resourceType);
    }
  });
  const abstained = extension
    .filter(({ url }) => url === extensionUrls.abstention)
    .map(({ extension: parts = [] }) => {
      const id = parts.find(({ url }) => url === 'outcome')?.valueCode ?? '';
      const text = `Not computed: ${textsOf(parts, 'detail').join(' ')}`;
      return outcomeOf(id, { text: textsOf(parts, 'label')[0] ?? id }, { kind: 'text', text });
    });
  return {
    procedure: codingOf(code, modelId),
    outcomes: [...outcomes, ...abstained],
    conclusion,
    isFinal: status === 'final',
  };
}

function amount({ valueQuantity: quantity }: Observation, id: string): Said {
  const { value, unit, code, system = ucumSystem, comparator } = quantity ?? {};
  if (value === undefined || code === undefined) throw notTold(`the value of ${id}`);
  if (comparator !== undefined) return { kind: 'text', text: `${comparator} ${value} ${unit ?? code}` };
  return { kind: 'number', value, unit: { system, code, display: unit ?? code } };
}

/** A risk is a percentage in R4, and here; of one that is too small to be written its limit is said. */
function percentage(risk: Risk): Said {
  const { probabilityDecimal: value, probabilityRange: range } = risk;
  if (value !== undefined)
    return { kind: 'number', value, unit: { system: ucumSystem, code: '%', display: 'percent' } };
  const most = range?.high?.value;
  if (most === undefined) throw notTold(`the risk of ${outcomeId(risk)}`);
  return { kind: 'text', text: `above 0 % and below ${most.toFixed(6)} %` };
}

function outcomeId({ extension = [] }: { readonly extension?: readonly Extension[] }): string {
  const id = extension.find(({ url }) => url === extensionUrls.outcomeId)?.valueCode;
  if (id === undefined) throw notTold('an outcome without its id');
  return id;
}

function textsOf(parts: readonly Extension[], url: string): string[] {
  return parts.flatMap((part) => (part.url === url && part.valueString !== undefined ? [part.valueString] : []));
}

function notTold(what: string): PredictionError {
  return new PredictionError(
    'RESULT_INVALID',
    `A structured report has no place for ${what}; the report was not made by this server.`,
  );
}
