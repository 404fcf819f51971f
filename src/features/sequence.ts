import type { ObservationDefinition, SequenceDefinition } from '../model-catalog/feature-map-schema.ts';
import { gridWindow, stepMs } from '../model-catalog/sequence-grid.ts';
import { durationWords } from './duration-words.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import { lastInstant } from './last-instant.ts';
import { compileMeasurements, type Measurement } from './measurements.ts';
import { compileAgreement } from './observation.ts';
import type { ObservationIndex } from './observation-index.ts';
import { readSamples, type Sample } from './samples.ts';
import { sequenceSteps } from './sequence-steps.ts';
import { timeUnknown } from './time-unknown.ts';
import { compileQuantityIn } from './value-forms.ts';

/**
 * Measured numbers on a grid of time whose newest bin ends at as-of. The instant at which a bin ends belongs to it. As for
 * a summary, one measurement that cannot be read, or of which it is not known in which bin it lies, makes the whole
 * unknown: a grid of the rest would be another one.
 * @throws RangeError where `unit` is no UCUM code
 */
export function compileSequence(definition: SequenceDefinition, index: ObservationIndex): FeatureExtractor {
  const { label, steps, atLeast, each } = definition;
  const measured = asObservation(definition);
  const find = compileMeasurements(measured, index, compileQuantityIn(definition));
  const agree = compileAgreement(measured);
  const binMs = stepMs(definition);
  const words = `${steps} bins of ${durationWords(definition.step)} before as-of`;
  const notFound = missing('not-found', `no ${label} in ${words}`);
  const aggregate = aggregates[each];

  return (context) => {
    const { asOf } = context;
    const found = find(context);
    const rivals = [...found.untimed, ...found.atEdge];
    if (rivals.length > 0) return timeUnknown(context, measured, rivals);
    if (found.undecided.length > 0) {
      const sources = found.undecided.map((observation) => context.record.sourceReference(observation));
      return missing('undecodable', `${label}: the status of a result on the grid is unknown`, sources);
    }
    // The oldest bin begins after the instant at which the window does.
    const binOf = (instant: number): number => steps - 1 - Math.floor((asOf - Math.min(instant, asOf)) / binMs);
    const onGrid = found.measured.filter(({ time }) => binOf(lastInstant(time)) >= 0);
    const unplaced = onGrid.filter(({ time }) => binOf(time.start) !== binOf(lastInstant(time)));
    if (unplaced.length > 0) return timeUnknown(context, measured, unplaced);
    if (onGrid.length === 0) return notFound;
    const read = readSamples(context, measured, agree, onGrid);
    if ('state' in read) return read;
    const { samples, last, details } = read;
    const bins = Map.groupBy(samples, ({ timeMs }) => binOf(timeMs));
    const sources = sourcesOf(context, onGrid);
    if (bins.size < atLeast) {
      const detail = `${label} was measured in ${bins.size} of ${words}; at least ${atLeast} are needed`;
      return missing('too-few', detail, sources);
    }
    const measuredBins = new Map([...bins].map(([bin, those]) => [bin, aggregate(those)]));
    const { filled, ...made } = sequenceSteps(definition, measuredBins);
    const empty = steps - bins.size - filled;
    const detail = [
      `measured in ${bins.size} of ${words}; ${filled} filled, ${empty} empty`,
      ...[...details].sort(),
    ].join('; ');
    return { state: 'derived', value: bins.size, at: last.at, from: [], detail, steps: made, sources };
  };
}

/** By which measurements are found and read. */
function asObservation(definition: SequenceDefinition): ObservationDefinition {
  const { kind: _, step: _step, steps: _steps, each: _each, fill: _fill, empty: _empty, ...measuring } = definition;
  return { ...measuring, kind: 'observation', window: gridWindow(definition), pick: 'mean' };
}

/** Samples stand from the oldest to the newest. */
const aggregates: Readonly<Record<SequenceDefinition['each'], (samples: readonly Sample[]) => number>> = {
  last: (samples) => samples.at(-1)?.value ?? Number.NaN,
  mean: (samples) => samples.reduce((sum, { value }) => sum + value, 0) / samples.length,
  min: (samples) => samples.reduce((least, { value }) => Math.min(least, value), Number.POSITIVE_INFINITY),
  max: (samples) => samples.reduce((most, { value }) => Math.max(most, value), Number.NEGATIVE_INFINITY),
};

function sourcesOf({ record }: ExtractionContext, measured: readonly Measurement[]) {
  return [...new Set(measured.map(({ observation }) => record.sourceReference(observation)))];
}
