import type { Appointment, Condition, Encounter, Procedure, QuestionnaireResponse } from '@medplum/fhirtypes';
import fc from 'fast-check';
import type {
  ConditionDefinition,
  ProcedureDefinition,
  QuestionnaireDefinition,
} from '../../src/model-catalog/feature-map-schema.ts';
import { quantityOf } from './arbitrary-observation.ts';
import {
  among,
  codingOf,
  conceptFor,
  encounterReference,
  futureTimes,
  lastUpdated,
  local,
  modifierExtension,
  mostly,
  periods,
  seldom,
  subject,
  terminology,
  times,
  under,
} from './arbitrary-terms.ts';
import type { Measure } from './measures-of.ts';
import { asSent } from './re-express.ts';

/** Diagnoses of a feature. */
export function arbitraryCondition(definition: ConditionDefinition): fc.Arbitrary<Condition> {
  return fc
    .tuple(
      fc.record({
        code: conceptFor(definition),
        verificationStatus: mostly(10, ['confirmed'], ['refuted', 'entered-in-error', 'provisional']).map(
          terminology('condition-ver-status'),
        ),
        clinicalStatus: mostly(6, ['active'], ['resolved', 'remission', 'relapse']).map(
          terminology('condition-clinical'),
        ),
        recordedDate: seldom(2, times),
        meta: lastUpdated,
        modifierExtension,
      }),
      among(
        [6, under('onsetDateTime', times)],
        [1, under('onsetPeriod', periods)],
        [2, fc.constantFrom<object>({}, { onsetAge: { value: 40 } }, { onsetString: 'youth' })],
      ),
      among([8, fc.constant({})], [1, under('abatementDateTime', times)], [1, under('abatementPeriod', periods)]),
    )
    .map((parts) => asSent({ resourceType: 'Condition', subject, ...Object.assign({}, ...parts) }));
}

/** Procedures of a feature. */
export function arbitraryProcedure(definition: ProcedureDefinition): fc.Arbitrary<Procedure> {
  return fc
    .tuple(
      fc.record({
        code: conceptFor(definition),
        status: mostly(6, ['completed'], ['in-progress', 'stopped', 'not-done', 'entered-in-error', 'unknown']),
        encounter: encounterReference,
        meta: lastUpdated,
        modifierExtension,
      }),
      among(
        [6, under('performedDateTime', times)],
        [3, under('performedPeriod', periods)],
        [1, fc.constantFrom<object>({}, { performedString: 'in youth' })],
      ),
    )
    .map((parts) => asSent({ resourceType: 'Procedure', subject, ...Object.assign({}, ...parts) }));
}

/** Of the classes, of another of their system, and of one of another system. */
function classIn(classes: readonly string[]): fc.Arbitrary<Encounter['class']> {
  const system = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
  return mostly<Encounter['class']>(6, [...classes.map(codingOf), { system, code: 'AMB' }], [{ code: 'AMB' }, local]);
}

/** @param classes those that features ask for */
export function arbitraryEncounter(classes: readonly string[]): fc.Arbitrary<Encounter> {
  return fc
    .record({
      class: classIn(classes),
      status: mostly(4, ['finished', 'in-progress'], ['planned', 'cancelled', 'entered-in-error', 'unknown']),
      period: among([6, periods], [1, fc.constant(undefined)]),
      modifierExtension,
    })
    .map((parts) => asSent({ resourceType: 'Encounter', subject, ...parts }));
}

/**
 * The encounters that resources name. `index` is the one that the call names where the record holds it, and fit to be
 * named: it took place, and had begun at as-of.
 */
export function namedEncounters(classes: readonly string[]): fc.Arbitrary<Encounter[]> {
  const stay = {
    status: mostly<Encounter['status']>(3, ['in-progress'], ['finished', 'unknown']),
    start: mostly(4, ['2026-02-18T09:00:00Z', '2026-02-20T08:00:00Z'], ['2026-02-20', '2026-02', undefined]),
    end: mostly(2, ['2026-02-21T10:00:00Z', undefined], ['2026-02-21', '2026-02', ...futureTimes]),
    modifierExtension,
  };
  const made = (id: string, partOf: object) =>
    fc
      .record({ ...stay, class: classIn(classes) })
      .map(({ start, end, ...rest }) =>
        asSent<Encounter>({ resourceType: 'Encounter', id, subject, ...rest, ...partOf, period: { start, end } }),
      );
  const wrong = { resourceType: 'Encounter' as const, id: 'wrong', subject, status: 'entered-in-error' as const };
  return fc
    .tuple(
      made('index', {}),
      made('part', { partOf: { reference: 'Encounter/index' } }),
      made('clinic', {}),
      fc.constant(asSent<Encounter>({ ...wrong, class: { code: 'AMB' } })),
    )
    .chain((encounters) => fc.subarray(encounters));
}

/** Appointments, of which few lie at different times. */
export const arbitraryAppointment: fc.Arbitrary<Appointment> = fc
  .record({
    status: mostly<Appointment['status']>(
      6,
      ['booked', 'booked', 'noshow'],
      ['fulfilled', 'arrived', 'cancelled', 'proposed', 'entered-in-error'],
    ),
    start: among<string | undefined>(
      [4, fc.constantFrom('2026-03-09T22:30:00Z', '2026-03-10T00:30:00+02:00', '2026-07-01T09:00:00-04:00')],
      [2, times],
      [1, fc.constant(undefined)],
    ),
    created: among<string | undefined>([6, times], [1, fc.constant(undefined)]),
    meta: lastUpdated,
    modifierExtension,
    participant: fc.constant([{ actor: subject, status: 'accepted' }]),
  })
  .map((parts) => asSent({ resourceType: 'Appointment', ...parts }));

/** Responses to the questionnaire of a feature. */
export function arbitraryResponse(
  definition: QuestionnaireDefinition,
  measures: ReadonlyMap<string, Measure>,
): fc.Arbitrary<QuestionnaireResponse> {
  const { linkId, questionnaire } = definition;
  const answer = fc.array(answerTo(definition, measures.get(`linkId|${linkId}`)), { maxLength: 2 });
  const item = fc.record({ answer, isNested: fc.boolean(), modifierExtension }).map(({ isNested, ...rest }) => {
    const found = { linkId, ...rest };
    return isNested ? { linkId: 'group', item: [found] } : found;
  });
  const asked = questionnaire.flatMap((canonical) => [canonical, canonical.replace(/\|.*/, '')]);
  return fc
    .record({
      questionnaire: mostly(8, asked, ['http://example.org/fhir/Questionnaire/other']),
      status: mostly(6, ['completed', 'amended'], ['in-progress', 'entered-in-error', 'stopped']),
      authored: among<string | undefined>([8, times], [1, fc.constant(undefined)]),
      item: fc.array(item, { minLength: 1, maxLength: 2 }),
      meta: lastUpdated,
      modifierExtension,
    })
    .map((parts) => asSent({ resourceType: 'QuestionnaireResponse', subject, ...parts }));
}

function answerTo(
  { yes = [], no = [], trueMeans, vocabulary = {} }: QuestionnaireDefinition,
  measure: Measure | undefined,
): fc.Arbitrary<object> {
  const codes = [...yes, ...no, ...Object.values(vocabulary).flat()].map(codingOf);
  const others: object[] = [{ valueString: 'perhaps' }, { valueCoding: local }, {}];
  const known = [
    ...codes.map((valueCoding) => ({ valueCoding })),
    ...(trueMeans === undefined ? [] : [{ valueBoolean: true }, { valueBoolean: false }]),
    ...(measure === undefined ? [] : [{ valueInteger: 7 }, { valueDecimal: 12 }]),
  ];
  const said = mostly<object>(6, known, others);
  return measure === undefined ? said : among([1, said], [2, under('valueQuantity', quantityOf(measure))]);
}
