import type { CodeableConcept, Medication } from '@medplum/fhirtypes';
import fc from 'fast-check';
import type { MedicationDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { type MedicationSource, medicationSources, typeOfSource } from '../../src/model-catalog/medication-schema.ts';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import {
  among,
  coded,
  codingOf,
  conceptOf,
  encounterReference,
  lastUpdated,
  modifierExtension,
  mostly,
  periods,
  seldom,
  subject,
  times,
  under,
} from './arbitrary-terms.ts';
import { asSent } from './re-express.ts';

const rxnorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const syrup = coded(rxnorm, '1', 'a cough syrup');

/** Medications that orders refer to: of each feature one by its code and one by what it holds; and others. */
export function medicationsOf(definitions: readonly MedicationDefinition[]): Medication[] {
  const listed = definitions.flatMap(({ codes, ingredients = [] }, index): Medication[] => [
    { resourceType: 'Medication', id: `coded-${index}`, code: asSent({ coding: [codingOf(codes[0] ?? '')] }) },
    ...ingredients.slice(0, 1).map(
      (token): Medication => ({
        resourceType: 'Medication',
        id: `made-${index}`,
        code: syrup,
        ingredient: [{ itemCodeableConcept: { coding: [codingOf(token)] } }],
      }),
    ),
  ]);
  return [
    ...listed,
    { resourceType: 'Medication', id: 'syrup', code: syrup },
    { resourceType: 'Medication', id: 'wrong', code: syrup, status: 'entered-in-error' },
  ];
}

/** Orders, statements, administrations or dispenses, as the feature reads them. */
export function arbitraryMedicationUse(
  definition: MedicationDefinition,
  medications: readonly Medication[],
): fc.Arbitrary<RecordResource> {
  const medication = medicationIn(definition, medications);
  return fc.oneof(...medicationSources(definition).map((source) => useOf(source, medication)));
}

function medicationIn({ codes, suspectText = [] }: MedicationDefinition, medications: readonly Medication[]) {
  const references = [...medications.map(({ id }) => `Medication/${id}`), 'urn:uuid:syrup', 'Medication/nowhere'];
  const [suspect = 'unknown'] = suspectText;
  const inside = mostly<CodeableConcept>(1, [syrup], [{ coding: [codingOf(codes[0] ?? '')] }]);
  return among<object>(
    [6, under('medicationCodeableConcept', among([2, conceptOf(codes)], [1, fc.constant(syrup)]))],
    [4, fc.constantFrom(...references).map((reference) => ({ medicationReference: { reference } }))],
    [1, fc.constant({ medicationCodeableConcept: { text: `${suspect} 20` } })],
    [
      1,
      inside.map((code) => ({
        contained: [{ resourceType: 'Medication', id: 'inside', code }],
        medicationReference: { reference: '#inside' },
      })),
    ],
  );
}

const supply = mostly(
  4,
  [{ value: 90, system: 'http://unitsofmeasure.org', code: 'd' }],
  [
    { value: 3, unit: 'months' },
    { value: 5, system: 'http://unitsofmeasure.org', code: 'd' },
  ],
);
const bounds = among<object>(
  [6, fc.constant({})],
  [
    2,
    fc
      .oneof(under('boundsPeriod', periods), under('boundsDuration', supply))
      .map((repeat) => ({ dosageInstruction: [{ timing: { repeat } }] })),
  ],
  [1, under('validityPeriod', periods).map((dispenseRequest) => ({ dispenseRequest }))],
  [1, under('expectedSupplyDuration', supply).map((dispenseRequest) => ({ dispenseRequest }))],
);
const taken = among<object>(
  [4, under('effectiveDateTime', times)],
  [4, under('effectivePeriod', periods)],
  [1, fc.constant({})],
);

/** What each type says beside the medication. */
const said: Readonly<Record<MedicationSource, fc.Arbitrary<object>[]>> = {
  request: [
    fc.record({
      status: mostly(4, ['active'], ['completed', 'stopped', 'draft', 'entered-in-error', 'unknown']),
      intent: mostly(10, ['order'], ['plan', 'proposal', 'option']),
      doNotPerform: seldom(20, fc.constant(true)),
      authoredOn: among<string | undefined>([8, times], [1, fc.constant(undefined)]),
    }),
    bounds,
  ],
  statement: [
    fc.record({
      status: mostly(4, ['active'], ['completed', 'stopped', 'not-taken', 'entered-in-error', 'unknown']),
      dateAsserted: seldom(3, times),
    }),
    taken,
  ],
  administration: [
    fc.record({
      status: mostly(4, ['completed', 'in-progress'], ['not-done', 'stopped', 'entered-in-error', 'unknown']),
    }),
    taken,
  ],
  dispense: [
    fc.record({
      status: mostly(4, ['completed'], ['preparation', 'declined', 'stopped', 'entered-in-error', 'unknown']),
      whenHandedOver: among<string | undefined>([6, times], [1, fc.constant(undefined)]),
      whenPrepared: seldom(4, times),
      daysSupply: among([3, supply], [1, fc.constant(undefined)]),
    }),
  ],
};

function useOf(source: MedicationSource, medication: fc.Arbitrary<object>): fc.Arbitrary<RecordResource> {
  const resourceType = typeOfSource[source];
  const shared = fc.record({ modifierExtension, meta: lastUpdated, encounter: encounterReference });
  return fc
    .tuple(shared, medication, ...said[source])
    .map((parts) => asSent({ resourceType, subject, ...Object.assign({}, ...parts) }));
}
