import type { Quantity } from '@medplum/fhirtypes';
import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import { windowWords } from './anchor.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import type { Measurement, MeasurementReader } from './measurements.ts';
import { earliest, mayBeNewest, newest, perhapsNewer } from './newest.ts';
import { timeUnknown } from './time-unknown.ts';

/** Reads what several measurements say as one value, in which all must agree. */
export type Agreement<Held = Quantity> = (
  context: ExtractionContext,
  contenders: readonly Measurement<Held>[],
) => FeatureValue;

/** What has to be found for `compilePickOne` alone; a panel needs to see older ones too. */
export function onlyNewest({ pick }: Pick<ObservationDefinition, 'pick'>): 'newest' | undefined {
  return pick === 'latest' ? 'newest' : undefined;
}

/**
 * What one measurement says: the newest that counts, or the oldest in the window. Every doubt about which one that is, and
 * about its value, is a reason, not a reason to take another one.
 */
export function compilePickOne<Held>(
  definition: Pick<ObservationDefinition, 'label' | 'window' | 'anchor' | 'pick'>,
  find: MeasurementReader<Held>,
  agree: Agreement<Held>,
): FeatureExtractor {
  const notFound = `no ${definition.label} within ${windowWords(definition)}`;
  const isEarliest = definition.pick === 'earliest';
  return (context) => {
    const { measured, untimed, atEdge } = find(context);
    const contenders = isEarliest ? earliest(measured) : newest(measured);
    if (untimed.length > 0 || atEdge.length > 0) {
      const rivals = isEarliest
        ? [...untimed, ...atEdge]
        : [...perhapsNewer(contenders, untimed), ...mayBeNewest(contenders, atEdge)];
      if (rivals.length > 0) return timeUnknown(context, definition, rivals);
    }
    return contenders.length === 0 ? missing('not-found', notFound) : agree(context, contenders);
  };
}
