import { evalFhirPathTyped, parseFhirPath, toTypedValue } from '@medplum/core';
import type { Bundle, Observation } from '@medplum/fhirtypes';
import { attendedStatuses } from '../../src/features/attendance.ts';
import type {
  AnswerDefinition,
  ConditionDefinition,
  FeatureDefinition,
  FeatureMap,
  MedicationDefinition,
  ObservationDefinition,
} from '../../src/model-catalog/feature-map-schema.ts';
import { before } from '../../src/model-catalog/record-queries.ts';

/** Reads one feature out of a Bundle; undefined where there is none, and where that cannot be told. */
export type PathFeature = (bundle: Bundle) => number | string | boolean | undefined;

/**
 * The features of a map by FHIRPath as of one instant, each expression parsed once. They ask what the compiled map asks:
 * status, what was true and known at as-of, the window, the unit with its declared conversions, the plausible range,
 * whether an absence may be read as a no. FHIRPath has no order by date: the newest is picked outside. Arithmetic over
 * features is left out. Instants are compared as texts, so records with several offsets may give another answer.
 */
export function fhirPathFeatures(map: FeatureMap, asOf: Date): Map<string, PathFeature> {
  const features = new Map<string, PathFeature>();
  for (const [name, definition] of Object.entries(map.features)) {
    const feature = featureOf(definition, asOf);
    if (feature !== undefined) features.set(name, feature);
  }
  return features;
}

function featureOf(definition: FeatureDefinition, asOf: Date): PathFeature | undefined {
  switch (definition.kind) {
    case 'demographics': {
      const read = compile(`${of('Patient')}.${definition.element === 'age' ? 'birthDate' : 'gender'}`);
      return (bundle) => read(bundle)[0] as string | undefined;
    }
    case 'observation':
      return measuredBy(definition, asOf);
    case 'answer':
      return answeredBy(definition, asOf);
    case 'condition':
      return diagnosedBy(definition, asOf);
    case 'medication':
      return orderedBy(definition, asOf);
    default:
      return undefined;
  }
}

function measuredBy(definition: ObservationDefinition, asOf: Date): PathFeature {
  const { codes = [], component, conversions = [], plausible, unit } = definition;
  const converted = conversions.map(({ from, factor }) => `iif(code = '${from}', value * ${plain(factor)}, {})`);
  const number = `where(system = 'http://unitsofmeasure.org').select(iif(code = '${unit}', value, ${converted[0] ?? '{}'}))`;
  const within = `where($this >= ${plausible[0]} and $this <= ${plausible[1]})`;
  const all = compile(`${counted(definition, [...codes, ...(component?.panels ?? [])], asOf)}.where(${isMeasured})`);
  const own = compile(`where(${coded(codes)}).value.${number}.${within}`);
  const part = component && compile(`component.where(${coded(component.codes)}).value.${number}.${within}`);
  return (bundle) => {
    const found = newest(all(bundle) as Observation[]);
    if (found === undefined) return undefined;
    return (part?.(found)[0] ?? own(found)[0]) as number | undefined;
  };
}

function answeredBy(definition: AnswerDefinition, asOf: Date): PathFeature {
  const { codes = [], yes = [], no = [] } = definition;
  const all = compile(`${counted(definition, codes, asOf)}.where(value.exists())`);
  const saysYes = compile(`value.where(${codings(yes, 'coding')}).exists()`);
  const saysNo = compile(`value.where(${codings(no, 'coding')}).exists()`);
  return (bundle) => {
    const found = newest(all(bundle) as Observation[]);
    if (found === undefined) return undefined;
    const [isYes, isNo] = [saysYes(found)[0] === true, saysNo(found)[0] === true];
    return isYes === isNo ? undefined : isYes;
  };
}

function diagnosedBy({ codes, when, suspectText = [], absent }: ConditionDefinition, asOf: Date): PathFeature {
  const at = instant(asOf);
  const over = `clinicalStatus.coding.where(code = 'inactive' or code = 'remission' or code = 'resolved')`;
  const standing = [
    `verificationStatus.coding.where(code = 'refuted' or code = 'entered-in-error').empty()`,
    `iif(onset.exists(), onset, recordedDate) <= ${at}`,
    `(recordedDate.empty() or recordedDate <= ${at})`,
    ...(when === 'ever' ? [] : [`abatement.empty() and ${over}.empty()`]),
  ].join(' and ');
  const all = `${of('Condition')}.where(${unmodified} and ${standing})`;
  return yesOrNo(
    `${all}.where(${coded(codes)}).exists()`,
    `${all}.all(${isUnderstood('code', codes, suspectText)}) and ${isKept(absent.encounterWithin, asOf)}`,
  );
}

function orderedBy({ codes, suspectText = [], absent }: MedicationDefinition, asOf: Date): PathFeature {
  const orders = ['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order'];
  const intended = orders.map((intent) => `intent = '${intent}'`).join(' or ');
  const standing = `status = 'active' and (${intended}) and (doNotPerform.empty() or doNotPerform = false) and authoredOn <= ${instant(asOf)}`;
  const all = `${of('MedicationRequest')}.where(${unmodified} and ${standing})`;
  const inPlace = `${all}.medication.where(${codings(codes, 'coding')}).exists()`;
  const referenced = `${all}.medication.reference.exists() and ${of('Medication')}.where(${coded(codes)}).exists()`;
  return yesOrNo(
    `${inPlace} or (${referenced})`,
    `${all}.medication.where(coding.exists()).all(${isUnderstood('$this', codes, suspectText)}) and ${of('Medication')}.all(${isUnderstood('code', codes, suspectText)}) and ${isKept(absent.encounterWithin, asOf)}`,
  );
}

function yesOrNo(yes: string, no: string): PathFeature {
  const [isYes, isNo] = [compile(yes), compile(no)];
  return (bundle) => {
    if (isYes(bundle)[0] === true) return true;
    return isNo(bundle)[0] === true ? false : undefined;
  };
}

const unmodified = 'modifierExtension.empty() and implicitRules.empty()';
const isMeasured = 'value.value.exists() or component.value.value.exists()';

/** Observations of one of the codes that count at as-of, inside the window. */
function counted(
  { status = ['final', 'amended', 'corrected'], window }: Pick<ObservationDefinition, 'status' | 'window'>,
  codes: readonly string[],
  asOf: Date,
): string {
  const counts = [
    unmodified,
    'focus.empty()',
    `(${status.map((each) => `status = '${each}'`).join(' or ')})`,
    `effective <= ${instant(asOf)} and effective >= ${instant(before(asOf, window))}`,
    `(issued.empty() or issued <= ${instant(asOf)})`,
  ].join(' and ');
  return `${of('Observation')}.where(${coded(codes)}).where(${counts})`;
}

/** A concept with a code of a system that the list knows, and a text without any of the words. */
function isUnderstood(concept: string, codes: readonly string[], words: readonly string[]): string {
  const systems = [...new Set(codes.map((token) => token.split('|')[0]))].map((system) => `system = '${system}'`);
  const suspect = words.map((word) => `contains('${word.toLowerCase()}')`).join(' or ');
  const texts = `(${concept}.text | ${concept}.coding.display)`;
  return `${concept}.coding.where(${systems.join(' or ')}).exists() and ${texts}.exists() and ${texts}.select(lower()).where(${suspect}).empty()`;
}

/** An encounter that took place shows that the record is kept. */
function isKept(within: string, asOf: Date): string {
  const attended = attendedStatuses.map((status) => `status = '${status}'`).join(' or ');
  const lately = `iif(period.end.exists(), period.end, period.start) >= ${instant(before(asOf, within))}`;
  return `${of('Encounter')}.where((${attended}) and period.start <= ${instant(asOf)} and ${lately}).exists()`;
}

function of(type: string): string {
  return `entry.resource.where(resourceType = '${type}')`;
}

function coded(tokens: readonly string[]): string {
  return codings(tokens, 'code.coding');
}

function codings(tokens: readonly string[], path: string): string {
  const each = tokens.map((token) => {
    const [system, code] = token.split('|');
    return `(system = '${system}' and code = '${code}')`;
  });
  return `${path}.where(${each.join(' or ')}).exists()`;
}

function instant(date: Date): string {
  return `@${date.toISOString()}`;
}

/** FHIRPath has no exponents. */
function plain(factor: number): string {
  return factor.toFixed(18).replace(/0+$/, '');
}

function compile(expression: string): (resource: unknown) => unknown[] {
  const atom = parseFhirPath(expression);
  return (resource) => evalFhirPathTyped(atom, [toTypedValue(resource)]).map(({ value }) => value);
}

function newest(observations: readonly Observation[]): Observation | undefined {
  let found: Observation | undefined;
  for (const one of observations) if ((one.effectiveDateTime ?? '') > (found?.effectiveDateTime ?? '')) found = one;
  return found;
}
