import type { Observation, ObservationComponent, Quantity } from '@medplum/fhirtypes';
import { hasToken } from '../fhir/codes.ts';
import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import { durationWords } from './duration-words.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import { newest, perhapsNewer } from './newest.ts';
import { type ObservationCandidate, observationCandidates, resultStatuses } from './observation-candidates.ts';
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

/** A measured value: the newest that counts, in the declared unit. Every doubt about the newest is a reason, not a reason to take an older one. */
export function compileObservation(definition: ObservationDefinition): FeatureExtractor {
  const read = compileQuantity(definition.unit, definition.conversions);
  const statuses = definition.status ?? resultStatuses;
  const codes = new Set(definition.codes ?? []);
  const panels = new Set(definition.component?.panels ?? []);
  const componentCodes = new Set(definition.component?.codes ?? []);
  const searched = [...new Set([...codes, ...panels])];

  /** The quantities of one resource that mean this feature; a measurement that was not made has none. */
  const quantitiesOf = (observation: Observation): Reading[] => {
    const found: Reading[] = [];
    if (changesMeaning(observation)) return ['unknown-modifier'];
    if (hasToken(observation.code, codes)) found.push(...quantitiesIn(observation));
    if (hasToken(observation.code, panels)) {
      for (const component of observation.component ?? []) {
        if (hasToken(component.code, componentCodes)) found.push(...quantitiesIn(component));
      }
    }
    return found;
  };

  return (context) => {
    const { candidates, untimed } = observationCandidates(context, searched, statuses, definition.window);
    const measured = candidates
      .map((candidate) => ({ ...candidate, quantities: quantitiesOf(candidate.observation) }))
      .filter(({ quantities }) => quantities.length > 0);
    const contenders = newest(measured);
    const unknownTime = perhapsNewer(
      contenders,
      untimed.filter(({ observation }) => quantitiesOf(observation).length > 0),
    );
    if (unknownTime.length > 0) {
      const sources = unknownTime.map(({ observation }) => context.record.sourceReference(observation));
      return missing('time-unknown', `a ${definition.label} without a usable time may be the newest`, sources);
    }
    if (contenders.length === 0) {
      return missing('not-found', `no ${definition.label} within ${durationWords(definition.window)} before as-of`);
    }
    return agree(context, definition, read, contenders);
  };
}

/** All candidates for the newest must be readable and give one value. */
function agree(
  context: ExtractionContext,
  definition: ObservationDefinition,
  read: QuantityReader,
  contenders: readonly (ObservationCandidate & { quantities: Reading[] })[],
): FeatureValue {
  const sources = contenders.map(({ observation }) => context.record.sourceReference(observation));
  const readings = contenders.flatMap(({ quantities, at }) =>
    quantities.map((quantity) => ({
      at,
      reading: typeof quantity === 'string' ? unreadable[quantity] : read(quantity),
    })),
  );
  const values: NumberReading[] = [];
  for (const { at, reading } of readings) {
    if ('because' in reading)
      return missing(reading.because, `the newest ${definition.label}: ${reading.detail}`, sources);
    values.push({ at, ...reading });
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
  return {
    state: 'observed',
    value: first.value,
    at: first.at,
    sources,
    ...(first.original === undefined ? {} : { original: first.original }),
  };
}

/** Equal but for the rounding of a unit conversion. */
function sameNumber(left: number, right: number): boolean {
  return left === right || Math.abs(left - right) <= 1e-12 * Math.max(Math.abs(left), Math.abs(right));
}

/** The values of a resource or component: none where nothing was measured. */
function quantitiesIn(holder: Observation | ObservationComponent): Reading[] {
  if (changesMeaning(holder)) return ['unknown-modifier'];
  if (holder.valueQuantity !== undefined) {
    if (holder.dataAbsentReason === undefined) return [holder.valueQuantity];
    // A Quantity without a value was not measured; one with a value contradicts the reason (obs-6).
    return holder.valueQuantity.value === undefined ? [] : ['absent-and-given'];
  }
  return Object.keys(holder).some((key) => /^_?value[A-Z]/.test(key)) ? ['not-a-quantity'] : [];
}
