import { isPlainNumber } from '../fhir/plain-number.ts';
import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import { compileAbsence } from './absence.ts';
import { windowWords } from './anchor.ts';
import { durationWords } from './duration-words.ts';
import { type ExtractionContext, type FeatureExtractor, missing, unsayable } from './feature-extractor.ts';
import type { FeatureValue, SourceReference } from './feature-vector.ts';
import { compileMeasurements, type Measurement } from './measurements.ts';
import { newest } from './newest.ts';
import { compileAgreement } from './observation.ts';
import type { ObservationIndex } from './observation-index.ts';
import { sameNumber } from './same-number.ts';
import { atOneTime, isOne, mostExactOf, readSamples, type Sample } from './samples.ts';
import { unitMs } from './time-unit.ts';
import { timeUnknown } from './time-unknown.ts';
import { isVague } from './vague-time.ts';
import { compileQuantityIn } from './value-forms.ts';

type Summary = (samples: readonly Sample[]) => number;

/** Of values alone. */
const summaries: Readonly<Record<string, Summary>> = {
  min: (samples) => samples.reduce((least, { value }) => Math.min(least, value), Number.POSITIVE_INFINITY),
  max: (samples) => samples.reduce((most, { value }) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  sum: (samples) => sum(samples.map(({ value }) => value)),
  mean: (samples) => sum(samples.map(({ value }) => value)) / samples.length,
  median: (samples) => {
    const sorted = samples.map(({ value }) => value).sort((one, other) => one - other);
    const middle = sorted.length >> 1;
    const upper = sorted[middle] ?? Number.NaN;
    return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
  },
};

/**
 * A number made of all measurements in the window, from the oldest to the newest: min, max, mean, median, sum, count,
 * slope (least squares) or the time since the newest. One of them that cannot be read, or whose time is not known, makes
 * the whole unknown: a summary of the rest would be another number. What stands at one time is one measurement, and must
 * have one value.
 * @throws RangeError where `unit` is no UCUM code, or `per` cannot be counted in
 */
export function compileSummary(definition: ObservationDefinition, index: ObservationIndex): FeatureExtractor {
  const measurementsIn = compileMeasurements(definition, index, compileQuantityIn(definition));
  const summarise = compileSummarise(definition);
  const none = compileNone(definition);
  return (context) => {
    const { measured, untimed, atEdge, undecided } = measurementsIn(context);
    const rivals = [...untimed, ...atEdge];
    if (rivals.length > 0) return timeUnknown(context, definition, rivals);
    if (undecided.length > 0) {
      const sources = undecided.map((observation) => context.record.sourceReference(observation));
      return missing('undecodable', `${definition.label}: the status of a result in the window is unknown`, sources);
    }
    if (measured.length === 0) return none(context);
    return summarise(context, measured);
  };
}

type Summarise = (context: ExtractionContext, measured: readonly Measurement[]) => FeatureValue;

function compileSummarise(definition: ObservationDefinition): Summarise {
  switch (definition.pick) {
    case 'count':
      return compileCount(definition);
    case 'time-since':
      return compileTimeSince(definition);
    default:
      return compileOfValues(definition);
  }
}

function compileOfValues(definition: ObservationDefinition): Summarise {
  const agree = compileAgreement(definition);
  const isSlope = definition.pick === 'slope';
  const isExtreme = definition.pick === 'min' || definition.pick === 'max';
  const summary = isSlope ? slopePer(unitMs(definition.per)) : summaries[definition.pick];
  if (summary === undefined) throw new RangeError(`'${definition.pick}' is no summary`);
  const atLeast = Math.max(definition.atLeast ?? 1, isSlope ? 2 : 1);
  return (context, measured) => {
    const vague = isSlope ? measured.filter(({ time }) => isVague(time)) : [];
    if (vague.length > 0) return timeUnknown(context, definition, vague);
    const read = readSamples(context, definition, agree, measured);
    if ('state' in read) return read;
    const { samples, details, last } = read;
    const sources = sourcesOf(context, measured);
    if (samples.length < atLeast) return tooFew(definition, samples.length, atLeast, sources);
    const value = summary(samples);
    if (!isPlainNumber(value)) return unsayable(definition.label, sources);
    // Of an extreme the newest that has it; of what is made of all of them the newest.
    const { at } = (isExtreme ? samples.findLast((sample) => sameNumber(sample.value, value)) : undefined) ?? last;
    if (details.size === 0) return { state: 'derived', value, at, from: [], sources };
    return { state: 'derived', value, at, from: [], sources, detail: [...details].sort().join('; ') };
  };
}

/** How many there are, by the times they stand at; or on how many days of the site, or in how many encounters. */
function compileCount(definition: ObservationDefinition): Summarise {
  const { distinctBy, atLeast = 1 } = definition;
  const agree = compileAgreement(definition);
  return (context, measured) => {
    const unreadable = measured.filter(({ readings }) => readings.some(isDoubtful));
    if (unreadable.length > 0) {
      return missing(
        'undecodable',
        `whether a ${definition.label} in the window counts is not known`,
        sourcesOf(context, unreadable),
      );
    }
    const groups = atOneTime(measured);
    const unclear = groups.find((group) => !isOne(group));
    const vague = distinctBy === 'day' ? measured.filter(({ time }) => isVague(time)) : [];
    if (unclear !== undefined || vague.length > 0) return timeUnknown(context, definition, unclear ?? vague);
    for (const group of groups) {
      const said = group.length === 1 ? undefined : agree(context, group);
      // One that cannot be read is there all the same; two that say different things may be two.
      if (said?.state === 'missing' && said.because === 'conflict') return said;
    }
    const counted = distinctBy === undefined ? groups.length : distinct(context, measured, distinctBy);
    const sources = sourcesOf(context, measured);
    if (counted === undefined) {
      return missing('undecodable', `a ${definition.label} does not say in which encounter it was measured`, sources);
    }
    if (counted < atLeast) return tooFew(definition, counted, atLeast, sources);
    return { state: 'derived', value: counted, at: lastOf(measured).at, from: [], sources };
  };
}

function distinct(
  context: ExtractionContext,
  measured: readonly Measurement[],
  by: 'day' | 'encounter',
): number | undefined {
  const keys = new Set<string>();
  for (const { observation, time } of measured) {
    const key = by === 'day' ? context.dayOf(time.start) : encounterKey(context, observation.encounter?.reference);
    if (key === undefined) return undefined;
    keys.add(key);
  }
  return keys.size;
}

function encounterKey({ record }: ExtractionContext, reference: string | undefined): string | undefined {
  const found = reference === undefined ? undefined : record.encounterBehind(reference);
  return found?.status === 'entered-in-error' ? undefined : found?.id;
}

/** From the beginning of what the newest may stand for to as-of. */
function compileTimeSince(definition: ObservationDefinition): Summarise {
  const perMs = unitMs(definition.per);
  return (context, measured) => {
    const contenders = newest(measured);
    const sources = sourcesOf(context, contenders);
    if (contenders.some(({ readings }) => readings.some(isDoubtful))) {
      return missing('undecodable', `whether the newest ${definition.label} counts is not known`, sources);
    }
    const vague = contenders.filter(({ time }) => isVague(time));
    if (vague.length > 0) return timeUnknown(context, definition, vague);
    const last = lastOf(contenders);
    const value = (context.asOf - last.time.start) / perMs;
    if (!isPlainNumber(value)) return unsayable(definition.label, sources);
    return { state: 'derived', value, at: last.at, from: [], sources };
  };
}

/** What means something else than it seems to, or may not belong to those that count. A value need not be readable to be there. */
function isDoubtful(reading: Measurement['readings'][number]): boolean {
  if (typeof reading !== 'string') return reading.value === undefined;
  return reading === 'unknown-modifier' || reading === 'unknown-encounter' || reading === 'absent-and-given';
}

/** None in the window: 0 for a count under the conditions of absence, else a reason. */
function compileNone(definition: ObservationDefinition): (context: ExtractionContext) => FeatureValue {
  const { label, absent } = definition;
  const notFound = missing('not-found', `no ${label} within ${windowWords(definition)}`);
  if (absent === undefined) return () => notFound;
  const absence = compileAbsence(label, absent.encounterWithin, 0);
  return (context) => absence(context, []);
}

/** Of those that begin last the one whose time says most. */
function lastOf(measured: readonly Measurement[]): Measurement {
  const latest = Math.max(...measured.map(({ time }) => time.start));
  return mostExactOf(measured.filter(({ time }) => time.start === latest));
}

function sourcesOf({ record }: ExtractionContext, measured: readonly Measurement[]): SourceReference[] {
  return [...new Set(measured.map(({ observation }) => record.sourceReference(observation)))];
}

function tooFew(
  { label, window }: ObservationDefinition,
  found: number,
  atLeast: number,
  sources: readonly SourceReference[],
): FeatureValue {
  return missing(
    'too-few',
    `${found} ${label} within ${durationWords(window)}; at least ${atLeast} are needed`,
    sources,
  );
}

/** What is left of values that were converted and should cancel out, as a share of the largest. */
const roundingShare = 1e-12;

/**
 * Slope of the least-squares line through value and time, for each unit of time. Two samples at one time have none. A line
 * that rises over all samples by no more than the rounding of a unit conversion is level.
 */
function slopePer(perMs: number): Summary {
  return (samples) => {
    const times = samples.map(({ timeMs }) => timeMs);
    const meanTime = sum(times) / samples.length;
    const meanValue = sum(samples.map(({ value }) => value)) / samples.length;
    const across = sum(samples.map(({ timeMs, value }) => (timeMs - meanTime) * (value - meanValue)));
    const along = sum(samples.map(({ timeMs }) => (timeMs - meanTime) ** 2));
    const slope = across / along;
    const rise = Math.abs(slope) * (Math.max(...times) - Math.min(...times));
    const largest = Math.max(...samples.map(({ value }) => Math.abs(value)));
    return rise <= roundingShare * largest ? 0 : slope * perMs;
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
