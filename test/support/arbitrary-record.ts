import type { Medication, Observation } from '@medplum/fhirtypes';
import fc from 'fast-check';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import {
  arbitraryAppointment,
  arbitraryCondition,
  arbitraryEncounter,
  arbitraryProcedure,
  arbitraryResponse,
  namedEncounters,
} from './arbitrary-event.ts';
import { arbitraryAllergy, arbitraryFamilyHistory, arbitraryServiceRequest } from './arbitrary-history.ts';
import { arbitraryMedicationUse, medicationsOf } from './arbitrary-medication.ts';
import { arbitraryObservation, arbitraryReport } from './arbitrary-observation.ts';
import { arbitraryPatient } from './arbitrary-patient.ts';
import { among, times } from './arbitrary-terms.ts';
import type { MapUnderTest } from './map-under-test.ts';
import type { Measure } from './measures-of.ts';

/**
 * Hostile records of Patient/1 for some feature maps: legal R4, with the codes and units of the maps, but as real servers
 * leave it. Few different times and values are drawn, so that resources often meet at the newest instant.
 */
export interface ArbitraryRecords {
  /** One resource of the subject, of whatever type but Patient and Medication, without an id. */
  readonly resource: fc.Arbitrary<RecordResource>;
  /** Whole records, the Patient first; every resource has an id. */
  readonly named: fc.Arbitrary<RecordResource[]>;
  /** The same, without an id but for those that others refer to. */
  readonly anonymous: fc.Arbitrary<RecordResource[]>;
}

/** @param measures by code, those of all maps together */
export function arbitraryRecords(
  maps: readonly MapUnderTest[],
  measures: ReadonlyMap<string, Measure>,
): ArbitraryRecords {
  const definitions = maps.flatMap(({ map }) => Object.values(map.features));
  const medications = medicationsOf(definitions.filter((definition) => definition.kind === 'medication'));
  const classes = [...new Set(definitions.flatMap(classesOf))];
  const patient = arbitraryPatient({
    demographics: definitions.filter((definition) => definition.kind === 'demographics'),
    addresses: maps.flatMap(({ map, lookups }) =>
      Object.entries(map.features).flatMap(([name, definition]) =>
        definition.kind === 'address' ? [{ definition, lookup: lookups.get(name) }] : [],
      ),
    ),
  });
  // What two maps read alike is drawn as often as what one reads.
  const writers = new Map<string, fc.Arbitrary<RecordResource>>();
  const panels = new Map<string, fc.Arbitrary<RecordResource>[]>();
  for (const { id, map } of maps) {
    for (const definition of Object.values(map.features)) {
      const { label: _, ...read } = definition;
      const key = JSON.stringify([read.kind, 'codes' in read ? read.codes : read]);
      const writer = writers.get(key) ?? resourceFor(definition, measures, medications);
      if (writer === undefined) continue;
      writers.set(key, writer);
      if (!('together' in definition) || definition.together === undefined) continue;
      const panel = `${id} ${definition.together}`;
      panels.set(panel, [...(panels.get(panel) ?? []), writer]);
    }
  }
  const read = [...writers.values()];
  const encounter = arbitraryEncounter(classes);
  const resource = fc.oneof(...read, encounter);
  // Records about few features, or about those of one panel, hold more that contend with each other.
  const about = fc.oneof(
    fc.constant(read),
    fc.subarray(read, { minLength: 1, maxLength: 4 }),
    ...[...panels.values()].map((members) => fc.constant(members)),
  );
  const resources = about.chain((some) =>
    fc.array(fc.oneof(...some, encounter), { minLength: 4, maxLength: 18, size: 'max' }),
  );
  const sets = [...panels.values()].map(measuredAtOnce);
  const none = fc.constant<RecordResource[]>([]);
  const set = sets.length === 0 ? none : among([3, none], [1, fc.oneof(...sets)]);
  const whole = fc.tuple(patient, fc.subarray(medications), namedEncounters(classes), resources, set);
  const joined = (named: boolean) =>
    whole.map(([person, drugs, encounters, apart, atOnce]): RecordResource[] => {
      const others = [...apart, ...atOnce];
      const identified = named ? others.map((other, index) => ({ ...other, id: `r${index}` })) : others;
      return [person, ...drugs, ...encounters, ...identified];
    });
  return { resource, named: joined(true), anonymous: joined(false) };
}

/** One of each member of a panel, final and at one time: what is drawn apart seldom meets. */
function measuredAtOnce(members: readonly fc.Arbitrary<RecordResource>[]): fc.Arbitrary<RecordResource[]> {
  return fc.tuple(fc.tuple(...members), times).map(([resources, effectiveDateTime]) =>
    resources.map((resource) => {
      const { effectiveInstant: _, effectivePeriod: __, effectiveTiming: ___, ...rest } = resource as Observation;
      return { ...rest, status: 'final', effectiveDateTime, specimen: { reference: 'Specimen/one' } };
    }),
  );
}

function resourceFor(
  definition: FeatureDefinition,
  measures: ReadonlyMap<string, Measure>,
  medications: readonly Medication[],
): fc.Arbitrary<RecordResource> | undefined {
  switch (definition.kind) {
    case 'text':
      return definition.from === 'report' ? arbitraryReport(definition) : arbitraryObservation(definition, measures);
    case 'observation':
    case 'answer':
    case 'category':
    case 'sequence':
      return arbitraryObservation(definition, measures);
    case 'condition':
      return arbitraryCondition(definition);
    case 'medication':
      return arbitraryMedicationUse(definition, medications);
    case 'procedure':
      return arbitraryProcedure(definition);
    case 'allergy':
      return arbitraryAllergy(definition);
    case 'family-history':
      return arbitraryFamilyHistory(definition);
    case 'service-request':
      return arbitraryServiceRequest(definition);
    case 'questionnaire':
      return arbitraryResponse(definition, measures);
    case 'appointment':
      return arbitraryAppointment;
    // Of the Patient, of encounters, which every record holds, or of other features.
    default:
      return undefined;
  }
}

function classesOf(definition: FeatureDefinition): readonly string[] {
  if (definition.kind === 'encounter') return definition.class ?? [];
  return definition.kind === 'observation' || definition.kind === 'sequence'
    ? (definition.where?.encounter.class ?? [])
    : [];
}
