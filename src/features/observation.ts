import { isPlainNumber } from '../fhir/plain-number.ts';
import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import { windowWords } from './anchor.ts';
import { type ExtractionContext, type FeatureExtractor, missing, unsayable } from './feature-extractor.ts';
import type { FeatureValue, OriginalValue } from './feature-vector.ts';
import { compileMeasurements, type Measurement, unreadable } from './measurements.ts';
import { earliest, newest, perhapsNewer } from './newest.ts';
import type { UntimedCandidate } from './observation-candidates.ts';
import type { ObservationIndex } from './observation-index.ts';
import { compareTexts, firstReason, mostExact, type Unread } from './pick-by-content.ts';
import { compileQuantity, type QuantityReader } from './quantity.ts';
import { isWithin, sameNumber } from './same-number.ts';
import { compileUnitSuspicion, type UnitSuspicion } from './suspect-unit.ts';

interface NumberReading {
  readonly value: number;
  readonly original?: OriginalValue;
}

/**
 * One measured value, in the declared unit: the newest that counts, or the oldest in the window. Every doubt about which
 * one that is, and about its value, is a reason, not a reason to take another one.
 */
export function compileObservation(definition: ObservationDefinition, index: ObservationIndex): FeatureExtractor {
  const measurementsIn = compileMeasurements(definition, index);
  const agree = compileAgreement(definition);
  const notFound = `no ${definition.label} within ${windowWords(definition)}`;
  const isEarliest = definition.pick === 'earliest';

  return (context) => {
    const { measured, untimed, atEdge } = measurementsIn(context);
    const contenders = isEarliest ? earliest(measured) : newest(measured);
    const rivals = isEarliest
      ? [...untimed, ...atEdge]
      : [...perhapsNewer(contenders, untimed), ...(contenders.length === 0 ? atEdge : [])];
    if (rivals.length > 0) return timeUnknown(context, definition, rivals);
    return contenders.length === 0 ? missing('not-found', notFound) : agree(context, contenders);
  };
}

/** One that does not say when it was true, or not well enough, may be one that counts. */
export function timeUnknown(
  { record }: ExtractionContext,
  { label, pick }: ObservationDefinition,
  rivals: readonly Pick<UntimedCandidate, 'observation'>[],
): FeatureValue {
  const sources = rivals.map(({ observation }) => record.sourceReference(observation));
  const what = pick === 'latest' ? 'be the newest' : 'belong to those that count';
  return missing('time-unknown', `a ${label} without a usable time may ${what}`, sources);
}

/** Reads what several measurements say as one value, in which all must agree. */
export type Agreement = (context: ExtractionContext, contenders: readonly Measurement[]) => FeatureValue;

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
  for (const { quantities } of contenders) {
    for (const quantity of quantities) {
      const reading = typeof quantity === 'string' ? unreadable[quantity] : read(quantity);
      if ('because' in reading) unread.push(reading);
      else values.push(reading);
    }
  }
  const reason = firstReason(unread);
  if (reason !== undefined) return missing(reason.because, `${oneOf(definition)}: ${reason.detail}`, sources);
  const [first, ...others] = values.sort(byExactness);
  const at = mostExact(contenders);
  if (first === undefined || at === undefined) return missing('not-found', `no ${definition.label}`, sources);
  if (others.some(({ value }) => !sameNumber(value, first.value))) {
    const detail = `two different values of ${definition.label} at ${definition.pick === 'latest' ? 'the newest' : 'one'} time`;
    return { state: 'missing', because: 'conflict', detail, at, sources };
  }
  const { value, original } = first;
  const [low, high] = definition.plausible;
  if (!isWithin(value, low, high)) {
    const outside = `${oneOf(definition)} lies outside ${low} to ${high} ${definition.unit}`;
    const likely = suspect(original?.value ?? value, original?.unit ?? definition.unit);
    return likely === undefined
      ? missing('implausible', outside, sources)
      : missing('suspected-unit-error', `${outside}; its number would be plausible in ${likely}`, sources);
  }
  if (!isPlainNumber(value)) return unsayable(oneOf(definition), sources);
  return original === undefined
    ? { state: 'observed', value, at, sources }
    : { state: 'observed', value, at, sources, original };
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
