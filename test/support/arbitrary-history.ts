import type { AllergyIntolerance, FamilyMemberHistory, ServiceRequest } from '@medplum/fhirtypes';
import fc from 'fast-check';
import type {
  AllergyDefinition,
  FamilyHistoryDefinition,
  ServiceRequestDefinition,
} from '../../src/model-catalog/feature-map-schema.ts';
import {
  among,
  conceptFor,
  conceptOf,
  encounterReference,
  lastUpdated,
  modifierExtension,
  mostly,
  seldom,
  subject,
  terminology,
  times,
  under,
} from './arbitrary-terms.ts';
import { asSent } from './re-express.ts';

/** Allergies of a feature, and statements that there are none. */
export function arbitraryAllergy(definition: AllergyDefinition): fc.Arbitrary<AllergyIntolerance> {
  const denials = ['http://snomed.info/sct|716186003', ...(definition.no ?? [])];
  return fc
    .record({
      code: among([4, conceptFor(definition)], [1, conceptOf(denials)]),
      reaction: seldom(
        5,
        conceptOf(definition.codes).map((substance) => [{ substance, manifestation: [{ text: 'a rash' }] }]),
      ),
      verificationStatus: mostly<string | undefined>(
        4,
        ['confirmed', 'unconfirmed', undefined],
        ['refuted', 'entered-in-error'],
      ).map((code) => code && terminology('allergyintolerance-verification')(code)),
      clinicalStatus: mostly(5, ['active'], ['inactive', 'resolved']).map(terminology('allergyintolerance-clinical')),
      onsetDateTime: seldom(3, times),
      recordedDate: among<string | undefined>([6, times], [1, fc.constant(undefined)]),
      meta: lastUpdated,
      modifierExtension,
    })
    .map((parts) => asSent({ resourceType: 'AllergyIntolerance', patient: subject, ...parts }));
}

/** Histories of relatives with and without the disease of a feature. */
export function arbitraryFamilyHistory(definition: FamilyHistoryDefinition): fc.Arbitrary<FamilyMemberHistory> {
  const { relationships = ['http://terminology.hl7.org/CodeSystem/v3-RoleCode|FTH'], onsetBefore = 60 } = definition;
  const age = (value: number, comparator?: string) => ({
    onsetAge: { value, ...(comparator && { comparator }), system: 'http://unitsofmeasure.org', code: 'a' },
  });
  const onset = mostly<object>(
    4,
    [age(onsetBefore - 5), age(onsetBefore + 5)],
    [{}, { onsetString: 'young' }, age(onsetBefore, '<'), age(onsetBefore, '>')],
  );
  const condition = fc
    .tuple(fc.record({ code: conceptFor(definition), modifierExtension }), onset)
    .map(([disease, began]) => ({ ...disease, ...began }));
  return fc
    .record({
      status: mostly(5, ['completed'], ['partial', 'health-unknown', 'entered-in-error']),
      relationship: conceptFor({ codes: relationships }),
      date: among<string | undefined>([6, times], [1, fc.constant(undefined)]),
      condition: fc.array(condition, { maxLength: 2 }),
      meta: lastUpdated,
      modifierExtension,
    })
    .map((parts) => asSent({ resourceType: 'FamilyMemberHistory', patient: subject, ...parts }));
}

/** Orders of services; the encounter of the call may be for Encounter.basedOn `ServiceRequest/r0` to `r9`. */
export function arbitraryServiceRequest(definition: ServiceRequestDefinition): fc.Arbitrary<ServiceRequest> {
  const { category } = definition;
  return fc
    .tuple(
      fc.record({
        code: conceptFor(definition),
        status: mostly(5, ['active', 'completed'], ['on-hold', 'draft', 'revoked', 'entered-in-error', 'unknown']),
        intent: mostly(8, ['order'], ['plan', 'proposal', 'option']),
        doNotPerform: seldom(20, fc.constant(true)),
        authoredOn: among<string | undefined>([8, times], [1, fc.constant(undefined)]),
        encounter: encounterReference,
        meta: lastUpdated,
        modifierExtension,
      }),
      category === undefined
        ? fc.constant({})
        : under(
            'category',
            fc
              .array(conceptFor({ codes: category }), { maxLength: 2 })
              .map((all) => all.filter((each) => each !== undefined)),
          ),
    )
    .map((parts) => asSent({ resourceType: 'ServiceRequest', subject, ...Object.assign({}, ...parts) }));
}
