import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import type { MissingValue } from './feature-vector.ts';
import type { Measurement } from './measurements.ts';
import { mostExact } from './pick-by-content.ts';
import type { Agreement } from './pick-one.ts';
import { timeUnknown } from './time-unknown.ts';

/** One measured value and when, epoch milliseconds. */
export interface Sample {
  readonly value: number;
  readonly timeMs: number;
  readonly at: string;
}

interface Samples {
  /** From the oldest to the newest. */
  readonly samples: readonly Sample[];
  readonly last: Sample;
  /** What a reader must know of how they were read. */
  readonly details: ReadonlySet<string>;
}

/**
 * The values of at least one measurement, from the oldest to the newest, and the last of them; what stands at one time is
 * one, and must have one value. The reason instead where one of them cannot be read, or cannot be told from another.
 */
export function readSamples(
  context: ExtractionContext,
  definition: ObservationDefinition,
  agree: Agreement,
  measured: readonly Measurement[],
): Samples | MissingValue {
  const samples: Sample[] = [];
  const details = new Set<string>();
  for (const group of atOneTime(measured)) {
    const value = isOne(group) ? agree(context, group) : timeUnknown(context, definition, group);
    if (value.state === 'missing') return value;
    if (value.state !== 'observed' || typeof value.value !== 'number')
      throw new Error('measurements agreed on something that is no number');
    if (value.detail !== undefined) details.add(value.detail);
    const { time, at } = mostExactOf(group);
    samples.push({ value: value.value, timeMs: time.start, at });
  }
  const [first, ...others] = samples;
  if (first === undefined) throw new Error('there are no samples of no measurements');
  return { samples, details, last: others.reduce((last, one) => (one.timeMs > last.timeMs ? one : last), first) };
}

/** Those whose times may be one, each group with the next of it; from the oldest to the newest. */
export function atOneTime(measured: readonly Measurement[]): Measurement[][] {
  const sorted = [...measured].sort((one, other) => one.time.start - other.time.start);
  const groups: Measurement[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const measurement of sorted) {
    const group = groups.at(-1);
    if (group !== undefined && measurement.time.start < end) group.push(measurement);
    else groups.push([measurement]);
    end = Math.max(end, measurement.time.end);
  }
  return groups;
}

/** False where a less exact time stands for several that are known to be different: how many there are cannot be told. */
export function isOne(group: readonly Measurement[]): boolean {
  const latestStart = Math.max(...group.map(({ time }) => time.start));
  return group.every(({ time }) => time.end > latestStart);
}

/** Of several at one time the one whose time says most. */
export function mostExactOf(group: readonly Measurement[]): Measurement {
  const found = mostExact(group);
  if (found === undefined) throw new Error('a group holds a measurement');
  return found;
}
