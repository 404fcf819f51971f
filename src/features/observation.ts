import { isPlainNumber } from '../fhir/plain-number.ts';
import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import { type ExtractionContext, type FeatureExtractor, missing, unsayable } from './feature-extractor.ts';
import type { FeatureValue, OriginalValue } from './feature-vector.ts';
import { compileMeasurements, type Measurement, type MeasurementReader, unreadable } from './measurements.ts';
import type { ObservationIndex } from './observation-index.ts';
import { compareTexts, firstReason, mostExact, type Unread } from './pick-by-content.ts';
import { type Agreement, compilePickOne, onlyNewest } from './pick-one.ts';
import { compileQuantity, type QuantityReader } from './quantity.ts';
import { isWithin, sameNumber } from './same-number.ts';
import { compileUnitSuspicion, type UnitSuspicion } from './suspect-unit.ts';
import { compileQuantityIn } from './value-forms.ts';

interface NumberReading {
  readonly value: number;
  readonly original?: OriginalValue;
  readonly localUnit?: string;
}

/** One measured value, in the declared unit: the newest that counts, or the oldest in the window. */
export function compileObservation(definition: ObservationDefinition, index: ObservationIndex): FeatureExtractor {
  const { find, agree } = observationReading(definition, index, onlyNewest(definition));
  return compilePickOne(definition, find, agree);
}

/** What there is of an observation feature, and what of it says one number. */
export function observationReading(
  definition: ObservationDefinition,
  index: ObservationIndex,
  which?: 'newest',
): { readonly find: MeasurementReader; readonly agree: Agreement } {
  return {
    find: compileMeasurements(definition, index, compileQuantityIn(definition), which),
    agree: compileAgreement(definition),
  };
}

/** @throws RangeError where the unit of the feature is no UCUM code */
export function compileAgreement(definition: ObservationDefinition): Agreement {
  const read = compileQuantity(definition.unit, definition);
  const suspect = compileUnitSuspicion(definition);
  return (context, contenders) => agree(context, definition, read, suspect, contenders);
}

/** All contenders must be readable and give one value. */
function agree(
  context: ExtractionContext,
  definition: ObservationDefinition,
  read: QuantityReader,
  suspect: UnitSuspicion,
  contenders: readonly Measurement[],
): FeatureValue {
  const sources = contenders.map(({ observation }) => context.record.sourceReference(observation));
  const values: NumberReading[] = [];
  const unread: Unread[] = [];
  for (const { readings } of contenders) {
    for (const given of readings) {
      const reading = typeof given === 'string' ? unreadable[given] : read(given);
      if ('because' in reading) unread.push(reading);
      else values.push(reading);
    }
  }
  const reason = firstReason(unread);
  if (reason !== undefined) return missing(reason.because, `${oneOf(definition)}: ${reason.detail}`, sources);
  const [first] = values.length > 1 ? values.sort(byExactness) : values;
  const at = mostExact(contenders)?.at;
  if (first === undefined || at === undefined) return missing('not-found', `no ${definition.label}`, sources);
  if (values.length > 1 && values.some(({ value }) => !sameNumber(value, first.value))) {
    const detail = `two different values of ${definition.label} at ${definition.pick === 'latest' ? 'the newest' : 'one'} time`;
    return { state: 'missing', because: 'conflict', detail, at, sources };
  }
  const { value, original, localUnit } = first;
  const [low, high] = definition.plausible;
  if (!isWithin(value, low, high)) {
    const outside = `${oneOf(definition)} lies outside ${low} to ${high} ${definition.unit}${localUnit === undefined ? '' : `; ${localUnit}`}`;
    const likely = suspect(original?.value ?? value, original?.unit ?? definition.unit);
    return likely === undefined
      ? missing('implausible', outside, sources)
      : missing('suspected-unit-error', `${outside}; its number would be plausible in ${likely}`, sources);
  }
  if (!isPlainNumber(value)) return unsayable(oneOf(definition), sources);
  if (original === undefined) return { state: 'observed', value, at, sources };
  return localUnit === undefined
    ? { state: 'observed', value, at, sources, original }
    : { state: 'observed', value, at, sources, original, detail: localUnit };
}

/**
 * Where one measurement is given in several ways, the value that needed no conversion is the exact one; else by what was
 * given.
 */
function byExactness({ original: one }: NumberReading, { original: other }: NumberReading): number {
  return (
    compareTexts(one?.unit ?? '', other?.unit ?? '') || compareTexts(one?.comparator ?? '', other?.comparator ?? '')
  );
}

function oneOf({ label, pick }: ObservationDefinition): string {
  if (pick === 'latest') return `the newest ${label}`;
  return pick === 'earliest' ? `the oldest ${label}` : `a ${label} in the window`;
}
