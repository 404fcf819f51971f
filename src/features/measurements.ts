import type { Observation, ObservationComponent, Quantity } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import { anchorOf } from './anchor.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import type { MissingReason } from './feature-vector.ts';
import {
  type ObservationCandidate,
  observationCandidates,
  resultStatuses,
  type UntimedCandidate,
} from './observation-candidates.ts';
import type { ObservationIndex } from './observation-index.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { compileValueForms, type ValueFormReader } from './value-forms.ts';
import { compileWhere, type WhereTest } from './where.ts';

/** A value that can be read, or why there is nothing to read. */
export type Reading = Quantity | keyof typeof unreadable;

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

/** A measurement inside the window and what it says: one reading for each value that means the feature. */
export interface Measurement extends ObservationCandidate {
  readonly quantities: readonly Reading[];
}

export interface Measurements {
  readonly measured: readonly Measurement[];
  /** Measurements that do not say when, and may lie inside the window. */
  readonly untimed: readonly UntimedCandidate[];
  /** Measurements whose time, known to the day, month or year only, may lie on either side of the beginning of the window. */
  readonly atEdge: readonly ObservationCandidate[];
  /** Measurements of which nobody says whether they count. */
  readonly undecided: readonly Observation[];
}

/** What the record holds of one observation feature. */
export type MeasurementReader = (context: ExtractionContext) => Measurements;

const none: Measurements = { measured: [], untimed: [], atEdge: [], undecided: [] };

/** Finds the measurements of a feature: by its codes, as components of its panels, about the subject, inside the window. */
export function compileMeasurements(definition: ObservationDefinition, index: ObservationIndex): MeasurementReader {
  const statuses = definition.status ?? resultStatuses;
  const codes = definition.codes ?? [];
  const panels = definition.component?.panels ?? [];
  const places = [...new Set([...codes, ...panels])].map((code) => index.placeOf(code));
  const quantitiesOf = compileReadings(definition);
  const isWanted: WhereTest | undefined = definition.where === undefined ? undefined : compileWhere(definition.where);

  const quantitiesIn = (context: ExtractionContext, observation: Observation): readonly Reading[] => {
    const quantities = quantitiesOf(observation);
    if (isWanted === undefined || quantities.length === 0) return quantities;
    const wanted = isWanted(context, observation);
    if (wanted === 'unknown') return ['unknown-encounter'];
    return wanted ? quantities : [];
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
      quantitiesIn(context, observation).length > 0;
    const measured: Measurement[] = [];
    for (const { observation, time, at } of candidates) {
      const quantities = quantitiesIn(context, observation);
      if (quantities.length > 0) measured.push({ observation, time, at, quantities });
    }
    return {
      measured,
      untimed: untimed.filter(isMeasured),
      atEdge: atEdge.filter(isMeasured),
      undecided: undecided.filter((observation) => isMeasured({ observation })),
    };
  };
}

/**
 * The quantities of one resource that mean the feature; a measurement that was not made has none. It has one of the
 * feature's codes: without panels, that it is measured is known.
 */
function compileReadings(definition: ObservationDefinition): (observation: Observation) => Reading[] {
  const panels = definition.component?.panels ?? [];
  const isMeasured = panels.length === 0 ? () => true : compileTokens(definition.codes ?? []);
  const isPanel = compileTokens(panels);
  const isPart = compileTokens(definition.component?.codes ?? []);
  const formOf = compileValueForms(definition);
  return (observation) => {
    if (changesMeaning(observation)) return ['unknown-modifier'];
    const found: Reading[] = [];
    if (isMeasured(observation.code)) addQuantities(found, observation, formOf);
    if (panels.length > 0 && observation.component !== undefined && isPanel(observation.code)) {
      for (const component of observation.component)
        if (isPart(component.code)) addQuantities(found, component, formOf);
    }
    return found;
  };
}

/** Adds the values of a resource or component: none where nothing was measured. */
function addQuantities(found: Reading[], holder: Observation | ObservationComponent, formOf: ValueFormReader): void {
  if (changesMeaning(holder)) {
    found.push('unknown-modifier');
  } else if (holder.valueQuantity !== undefined) {
    if (holder.dataAbsentReason === undefined) found.push(holder.valueQuantity);
    // A Quantity without a value was not measured; one with a value contradicts the reason (obs-6).
    else if (holder.valueQuantity.value !== undefined) found.push('absent-and-given');
  } else if (isAnswered(holder)) {
    found.push(holder.dataAbsentReason === undefined ? formOf(holder) : 'absent-and-given');
  }
}

/** Whether it has a value of any kind. */
export function isAnswered(holder: Observation | ObservationComponent): boolean {
  return Object.keys(holder).some((key) => /^_?value[A-Z]/.test(key));
}
