import type { Observation, ObservationComponent, Quantity } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import { durationWords } from './duration-words.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import { newest, perhapsNewer } from './newest.ts';
import { type ObservationCandidate, observationCandidates, resultStatuses } from './observation-candidates.ts';
import type { ObservationIndex } from './observation-index.ts';
import { compileQuantity, type QuantityReader } from './quantity.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** A value that can be read, or why there is nothing to read. */
type Reading = Quantity | keyof typeof unreadable;

const unreadable = {
  'not-a-quantity': { because: 'not-numeric', detail: 'the value is not a Quantity' },
  'absent-and-given': { because: 'undecodable', detail: 'it has a value and a reason why it has none' },
  'unknown-modifier': { because: 'undecodable', detail: 'it carries a modifier that is not known here' },
} as const;

interface NumberReading {
  readonly at: string;
  readonly value: number;
  readonly original?: { readonly value: number; readonly unit: string };
}

interface Measurement extends ObservationCandidate {
  readonly quantities: readonly Reading[];
}

/** A measured value: the newest that counts, in the declared unit. Every doubt about the newest is a reason, not a reason to take an older one. */
export function compileObservation(definition: ObservationDefinition, index: ObservationIndex): FeatureExtractor {
  const read = compileQuantity(definition.unit, definition.conversions);
  const statuses = definition.status ?? resultStatuses;
  const codes = definition.codes ?? [];
  const panels = definition.component?.panels ?? [];
  const isMeasured = compileTokens(codes);
  const isPanel = compileTokens(panels);
  const isPart = compileTokens(definition.component?.codes ?? []);
  const places = [...new Set([...codes, ...panels])].map((code) => index.placeOf(code));
  const notFound = `no ${definition.label} within ${durationWords(definition.window)} before as-of`;

  /** The quantities of one resource that mean this feature; a measurement that was not made has none. */
  const quantitiesOf = (observation: Observation): Reading[] => {
    if (changesMeaning(observation)) return ['unknown-modifier'];
    const found: Reading[] = [];
    if (isMeasured(observation.code)) addQuantities(found, observation);
    if (panels.length > 0 && observation.component !== undefined && isPanel(observation.code)) {
      for (const component of observation.component) if (isPart(component.code)) addQuantities(found, component);
    }
    return found;
  };

  return (context) => {
    const { candidates, untimed } = observationCandidates(context, places, statuses, definition.window);
    const measured: Measurement[] = [];
    for (const { observation, time, at } of candidates) {
      const quantities = quantitiesOf(observation);
      if (quantities.length > 0) measured.push({ observation, time, at, quantities });
    }
    const contenders = newest(measured);
    const unknownTime = perhapsNewer(
      contenders,
      untimed.filter(({ observation }) => quantitiesOf(observation).length > 0),
    );
    if (unknownTime.length > 0) {
      const sources = unknownTime.map(({ observation }) => context.record.sourceReference(observation));
      return missing('time-unknown', `a ${definition.label} without a usable time may be the newest`, sources);
    }
    if (contenders.length === 0) return missing('not-found', notFound);
    return agree(context, definition, read, contenders);
  };
}

/** All candidates for the newest must be readable and give one value. */
function agree(
  context: ExtractionContext,
  definition: ObservationDefinition,
  read: QuantityReader,
  contenders: readonly Measurement[],
): FeatureValue {
  const sources = contenders.map(({ observation }) => context.record.sourceReference(observation));
  const values: NumberReading[] = [];
  for (const { quantities, at } of contenders) {
    for (const quantity of quantities) {
      const reading = typeof quantity === 'string' ? unreadable[quantity] : read(quantity);
      if ('because' in reading)
        return missing(reading.because, `the newest ${definition.label}: ${reading.detail}`, sources);
      const { value, original } = reading;
      values.push(original === undefined ? { at, value } : { at, value, original });
    }
  }
  // Where one measurement is given in several units, the one that needed no conversion is the exact one.
  const first = values.find(({ original }) => original === undefined) ?? values[0];
  if (first === undefined) return missing('not-found', `no ${definition.label}`, sources);
  if (values.some(({ value }) => !sameNumber(value, first.value))) {
    const detail = `two different values of ${definition.label} at the newest time`;
    return { state: 'missing', because: 'conflict', detail, at: first.at, sources };
  }
  const [low, high] = definition.plausible;
  if (first.value < low || first.value > high) {
    return missing(
      'implausible',
      `the newest ${definition.label} lies outside ${low} to ${high} ${definition.unit}`,
      sources,
    );
  }
  const { value, at, original } = first;
  return original === undefined
    ? { state: 'observed', value, at, sources }
    : { state: 'observed', value, at, sources, original };
}

/** Equal but for the rounding of a unit conversion. */
function sameNumber(left: number, right: number): boolean {
  return left === right || Math.abs(left - right) <= 1e-12 * Math.max(Math.abs(left), Math.abs(right));
}

/** Adds the values of a resource or component: none where nothing was measured. */
function addQuantities(found: Reading[], holder: Observation | ObservationComponent): void {
  if (changesMeaning(holder)) {
    found.push('unknown-modifier');
  } else if (holder.valueQuantity !== undefined) {
    if (holder.dataAbsentReason === undefined) found.push(holder.valueQuantity);
    // A Quantity without a value was not measured; one with a value contradicts the reason (obs-6).
    else if (holder.valueQuantity.value !== undefined) found.push('absent-and-given');
  } else if (Object.keys(holder).some((key) => /^_?value[A-Z]/.test(key))) {
    found.push('not-a-quantity');
  }
}
