import type { Observation, ObservationComponent, Quantity } from '@medplum/fhirtypes';
import { hasToken } from '../fhir/codes.ts';
import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import { durationWords } from './duration-words.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import { newest } from './newest.ts';
import { type ObservationCandidate, observationCandidates, resultStatuses } from './observation-candidates.ts';
import { compileQuantity, type QuantityReader } from './quantity.ts';

/** A measured value: the newest that counts, in the declared unit. Every doubt about the newest is a reason, not a reason to take an older one. */
export function compileObservation(definition: ObservationDefinition): FeatureExtractor {
  const read = compileQuantity(definition.unit, definition.conversions);
  const statuses = definition.status ?? resultStatuses;
  const codes = new Set(definition.codes ?? []);
  const panels = new Set(definition.component?.panels ?? []);
  const componentCodes = new Set(definition.component?.codes ?? []);
  const searched = [...new Set([...codes, ...panels])];

  /** The quantities of one resource that mean this feature; a measurement that was not made has none. */
  const quantitiesOf = (observation: Observation): (Quantity | 'not-a-quantity')[] => {
    const found: (Quantity | 'not-a-quantity')[] = [];
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
    if (measured.length === 0) {
      const unknownTime = untimed.filter((observation) => quantitiesOf(observation).length > 0);
      if (unknownTime.length === 0)
        return missing('not-found', `no ${definition.label} within ${durationWords(definition.window)} before as-of`);
      return missing(
        'time-unknown',
        `${definition.label} found, but without a usable time`,
        unknownTime.map(context.record.sourceReference),
      );
    }
    return agree(context, definition, read, newest(measured));
  };
}

/** All candidates for the newest must be readable and give one value. */
function agree(
  context: ExtractionContext,
  definition: ObservationDefinition,
  read: QuantityReader,
  contenders: readonly (ObservationCandidate & { quantities: (Quantity | 'not-a-quantity')[] })[],
): FeatureValue {
  const sources = contenders.map(({ observation }) => context.record.sourceReference(observation));
  const readings = contenders.flatMap(({ quantities, at }) =>
    quantities.map((quantity) => ({
      at,
      reading:
        quantity === 'not-a-quantity'
          ? ({ because: 'not-numeric', detail: 'the value is not a Quantity' } as const)
          : read(quantity),
    })),
  );
  const values: { value: number; at: string; original?: { readonly value: number; readonly unit: string } }[] = [];
  for (const { at, reading } of readings) {
    if ('because' in reading)
      return missing(reading.because, `the newest ${definition.label}: ${reading.detail}`, sources);
    values.push({ value: reading.value, at, original: reading.original });
  }
  const [first, ...others] = values;
  if (first === undefined) return missing('not-found', `no ${definition.label}`, sources);
  if (others.some(({ value }) => value !== first.value)) {
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

function quantitiesIn(holder: Observation | ObservationComponent): (Quantity | 'not-a-quantity')[] {
  if (holder.valueQuantity !== undefined) {
    // A Quantity without a value (only a data-absent-reason) was not measured.
    return holder.valueQuantity.value === undefined && holder.dataAbsentReason !== undefined
      ? []
      : [holder.valueQuantity];
  }
  return Object.keys(holder).some((key) => /^_?value[A-Z]/.test(key)) ? ['not-a-quantity'] : [];
}
