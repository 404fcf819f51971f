import type { Observation, ObservationComponent, Quantity } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import { anchorOf } from './anchor.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import type { MissingReason } from './feature-vector.ts';
import { type ObservationCandidate, observationCandidates, type UntimedCandidate } from './observation-candidates.ts';
import type { ObservationIndex } from './observation-index.ts';
import { resultStatuses } from './result-standing.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { compileWhere, type WhereTest } from './where.ts';

/** Why a measurement that counts gives no number. */
export const unreadable = {
  'not-a-quantity': { because: 'not-numeric', detail: 'the value is of a kind that is not read here' },
  'no-number': { because: 'not-numeric', detail: 'the value is a text that is not one number' },
  'no-ratio': { because: 'not-numeric', detail: 'the value is a ratio that is not one number' },
  'ratio-limit': { because: 'comparator', detail: 'the value is a ratio with a limit that does not limit the whole' },
  'ratio-without-unit': { because: 'unit-missing', detail: 'a side of the ratio has no unit' },
  'ratio-unknown-unit': { because: 'unit-unknown', detail: 'a side of the ratio has a unit that is not known here' },
  'several-values': { because: 'undecodable', detail: 'it has several values' },
  'absent-and-given': { because: 'undecodable', detail: 'it has a value and a reason why it has none' },
  'unknown-modifier': { because: 'undecodable', detail: 'it carries a modifier that is not known here' },
  'unknown-encounter': { because: 'undecodable', detail: 'the encounter it was measured in is not known' },
} as const satisfies Record<string, { because: MissingReason; detail: string }>;

/** Why there is nothing to read. */
export type Doubt = keyof typeof unreadable;

/** What a resource or a component holds for the feature; undefined where nothing was measured. */
export type HolderReader<Held> = (holder: Observation | ObservationComponent) => Held | Doubt | undefined;

/** A measurement inside the window and what it says: one reading for each value that means the feature. */
export interface Measurement<Held = Quantity> extends ObservationCandidate {
  readonly readings: readonly (Held | Doubt)[];
}

export interface Measurements<Held = Quantity> {
  readonly measured: readonly Measurement<Held>[];
  /** Measurements that do not say when, and may lie inside the window. */
  readonly untimed: readonly UntimedCandidate[];
  /** Measurements whose time, known to the day, month or year only, may lie on either side of the beginning of the window. */
  readonly atEdge: readonly ObservationCandidate[];
  /** Measurements of which nobody says whether they count. */
  readonly undecided: readonly Observation[];
}

/** What the record holds of one feature. */
export type MeasurementReader<Held = Quantity> = (context: ExtractionContext) => Measurements<Held>;

/** By what measurements are found. */
export type Measured = Pick<
  ObservationDefinition,
  'label' | 'codes' | 'component' | 'status' | 'window' | 'anchor' | 'where'
>;

const none: Measurements<never> = { measured: [], untimed: [], atEdge: [], undecided: [] };

/**
 * Finds the measurements of a feature: by its codes, as components of its panels, about the subject, inside the window.
 * @param which of several only those that may be the newest, as `newest` chooses them: older ones are not even read
 */
export function compileMeasurements<Held = Quantity>(
  definition: Measured,
  index: ObservationIndex,
  read: HolderReader<Held>,
  which: 'all' | 'newest' = 'all',
): MeasurementReader<Held> {
  const statuses = definition.status ?? resultStatuses;
  const codes = definition.codes ?? [];
  const panels = definition.component?.panels ?? [];
  const places = [...new Set([...codes, ...panels])].map((code) => index.placeOf(code));
  const readingsOf = compileReadings(definition, read);
  const isWanted: WhereTest | undefined = definition.where === undefined ? undefined : compileWhere(definition.where);

  const readingsIn = (context: ExtractionContext, observation: Observation): readonly (Held | Doubt)[] => {
    const readings = readingsOf(observation);
    if (isWanted === undefined || readings.length === 0) return readings;
    const wanted = isWanted(context, observation);
    if (wanted === 'unknown') return ['unknown-encounter'];
    return wanted ? readings : [];
  };

  return (context) => {
    const anchor = anchorOf(context, definition);
    if (typeof anchor === 'object' && 'unknown' in anchor) return none;
    const { candidates, untimed, atEdge, undecided } = observationCandidates(
      context,
      places,
      statuses,
      definition.window,
      anchor === 'as-of' ? undefined : anchor,
    );
    const isMeasured = ({ observation }: { readonly observation: Observation }): boolean =>
      readingsIn(context, observation).length > 0;
    const readOne = (candidate: ObservationCandidate): Measurement<Held> | undefined => {
      const { observation, time, at } = candidate;
      const readings = readingsIn(context, observation);
      return readings.length === 0 ? undefined : { observation, time, at, readings };
    };
    return {
      measured: which === 'newest' ? newestRead(candidates, readOne) : allRead(candidates, readOne),
      untimed: untimed.length === 0 ? none.untimed : untimed.filter(isMeasured),
      atEdge: atEdge.length === 0 ? none.atEdge : atEdge.filter(isMeasured),
      undecided: undecided.length === 0 ? none.undecided : undecided.filter((one) => isMeasured({ observation: one })),
    };
  };
}

type Read<Held> = (candidate: ObservationCandidate) => Measurement<Held> | undefined;

function allRead<Held>(candidates: readonly ObservationCandidate[], read: Read<Held>): Measurement<Held>[] {
  const measured: Measurement<Held>[] = [];
  for (const candidate of candidates) {
    const found = read(candidate);
    if (found !== undefined) measured.push(found);
  }
  return measured;
}

/** All that `newest` may choose of. Where the newest candidate is measured, those that are older need not be read. */
function newestRead<Held>(candidates: readonly ObservationCandidate[], read: Read<Held>): Measurement<Held>[] {
  let last = candidates[0];
  for (const each of candidates) if (last !== undefined && each.time.start > last.time.start) last = each;
  const found = last && read(last);
  if (last === undefined || found === undefined) return allRead(candidates, read);
  const measured = [found];
  for (const candidate of candidates) {
    if (candidate === last || candidate.time.end <= last.time.start) continue;
    const other = read(candidate);
    if (other !== undefined) measured.push(other);
  }
  return measured;
}

/**
 * What one resource says of the feature; a measurement that was not made says nothing. It has one of the feature's codes:
 * without panels, that it is measured is known.
 */
function compileReadings<Held>(
  definition: Measured,
  read: HolderReader<Held>,
): (observation: Observation) => (Held | Doubt)[] {
  const panels = definition.component?.panels ?? [];
  const isMeasured = panels.length === 0 ? () => true : compileTokens(definition.codes ?? []);
  const isPanel = compileTokens(panels);
  const isPart = compileTokens(definition.component?.codes ?? []);
  return (observation) => {
    if (changesMeaning(observation)) return ['unknown-modifier'];
    const found: (Held | Doubt)[] = [];
    if (isMeasured(observation.code)) {
      const held = read(observation);
      if (held !== undefined) found.push(held);
    }
    if (panels.length === 0 || observation.component === undefined || !isPanel(observation.code)) return found;
    for (const component of observation.component) {
      if (!isPart(component.code)) continue;
      const held = changesMeaning(component) ? 'unknown-modifier' : read(component);
      if (held !== undefined) found.push(held);
    }
    return found;
  };
}
