import type { Extension } from '@medplum/fhirtypes';
import type { DemographicsDefinition } from '../model-catalog/demographics-schema.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import { periodAt } from './period-at.ts';
import type { Unread } from './pick-by-content.ts';

type Source = NonNullable<DemographicsDefinition['from']>[number];

const clinicalUse = 'http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse';
const extensionUrls: Readonly<Record<Exclude<Source, 'administrative-gender'>, string>> = {
  'us-core-birth-sex': 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex',
  'us-core-sex': 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-sex',
  'patient-sexParameterForClinicalUse': clinicalUse,
};

/** One statement of a source: all codes it is given with; none where it is told in words only. */
type Statement = readonly string[];

/** What a statement means: a value of the vocabulary, or why it has none. */
type Meaning = { readonly value: string } | Unread;

/**
 * The sex by the sources of the map. They must agree, unless the map says that the first that says something counts; a
 * code outside the vocabulary is a statement like any other.
 */
export function compileSex({
  label,
  from = ['administrative-gender'],
  disagree = 'conflict',
  saysNothing = [],
  vocabulary = {},
}: DemographicsDefinition): FeatureExtractor {
  const values = new Map(Object.entries(vocabulary).flatMap(([value, codes]) => codes.map((code) => [code, value])));
  const isSilent = (codes: Statement): boolean => codes.length > 0 && codes.every((code) => saysNothing.includes(code));

  const meaningOf = (codes: Statement, source: Source): Meaning => {
    const found = codes.map((code) => values.get(code)).filter((value) => value !== undefined);
    const [value] = found;
    if (found.some((other) => other !== value))
      return { because: 'conflict', detail: `${label}: ${source} says two things at once` };
    if (value !== undefined) return { value };
    if (codes.length === 0) return { because: 'undecodable', detail: `${label}: ${source} says it in words only` };
    return { because: 'not-in-vocabulary', detail: `${label}: ${source} says what the model does not know` };
  };

  return (context) => {
    const sources = [context.record.sourceReference(context.record.patient)];
    const absent = ({ because, detail }: Unread) => missing(because, detail, sources);
    const meanings: Meaning[] = [];
    for (const source of from) {
      const statements = statementsOf(context, source);
      if (statements === 'vague')
        return absent({ because: 'time-unknown', detail: `${label}: whether ${source} holds at as-of cannot be told` });
      meanings.push(...statements.filter((codes) => !isSilent(codes)).map((codes) => meaningOf(codes, source)));
      if (disagree === 'first' && meanings.length > 0) break;
    }
    const [first, ...others] = meanings;
    if (first === undefined)
      return absent({ because: 'not-found', detail: `${label}: ${from.join(', ')} say nothing` });
    if (others.some((other) => !isSame(first, other)))
      return absent({ because: 'conflict', detail: `${label}: the sources ${from.join(', ')} disagree` });
    return 'value' in first ? { state: 'observed', value: first.value, sources } : absent(first);
  };
}

function isSame(one: Meaning, other: Meaning): boolean {
  if ('value' in one) return 'value' in other && one.value === other.value;
  return 'because' in other && one.because === other.because;
}

/** What a source says at as-of; `vague` where its period does not show whether it still, or already, says so. */
function statementsOf(context: ExtractionContext, source: Source): Statement[] | 'vague' {
  const { gender, extension = [] } = context.record.patient;
  if (source === 'administrative-gender') return gender === undefined ? [] : [[gender]];
  const statements: Statement[] = [];
  for (const given of extension.filter(({ url }) => url === extensionUrls[source])) {
    const parts = given.extension ?? [];
    const period = source === 'patient-sexParameterForClinicalUse' ? partOf(parts, 'period')?.valuePeriod : undefined;
    const standing = periodAt(context, period);
    if (standing === 'perhaps') return 'vague';
    const said = source === 'patient-sexParameterForClinicalUse' ? partOf(parts, 'value') : given;
    const codes = said === undefined ? [] : codesOf(said);
    if (standing === 'current') statements.push(codes);
  }
  return statements;
}

function partOf(parts: readonly Extension[], url: string): Extension | undefined {
  return parts.find((part) => part.url === url);
}

/** A plain code as it is, a coding as `system|code`. */
export function codesOf({ valueCode, valueCoding, valueCodeableConcept }: Extension): string[] {
  const codings = [...(valueCoding === undefined ? [] : [valueCoding]), ...(valueCodeableConcept?.coding ?? [])];
  const coded = codings.filter(({ code }) => code !== undefined).map(({ system, code }) => `${system}|${code}`);
  return valueCode === undefined ? coded : [valueCode, ...coded];
}
