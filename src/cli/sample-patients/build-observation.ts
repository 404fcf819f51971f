import type { CodeableConcept, Observation, ObservationComponent, Quantity } from '@medplum/fhirtypes';
import type { Person } from './draw-person.ts';
import { type NextId, sampleMeta } from './resource-identity.ts';
import { formatDay, formatInstant } from './sample-time.ts';

export interface LoincCode {
  readonly code: string;
  readonly display: string;
}

/** What differs from one Observation to the next. Instants in milliseconds since 1970. */
export interface ObservationContent {
  readonly category: 'vital-signs' | 'laboratory' | 'social-history';
  readonly code: LoincCode;
  readonly status?: Observation['status'];
  readonly effectiveMs: number;
  /** The record knows only the day. */
  readonly dayOnly?: boolean;
  readonly issuedMs: number;
  /** The laboratory writes its instants in UTC whatever the site does. */
  readonly issuedInUtc?: boolean;
  readonly encounterId?: string;
  readonly quantity?: Quantity;
  readonly answer?: CodeableConcept;
  readonly components?: ObservationComponent[];
  readonly dataAbsentReason?: 'error' | 'not-performed';
  readonly note?: string;
}

const categoryNames = {
  'vital-signs': 'Vital Signs',
  laboratory: 'Laboratory',
  'social-history': 'Social History',
} as const;
const absentReasonNames = { error: 'Error', 'not-performed': 'Not Performed' } as const;

export function buildObservation(person: Person, nextId: NextId, content: ObservationContent): Observation {
  const { offsetMinutes } = person;
  return {
    resourceType: 'Observation',
    id: nextId('obs'),
    meta: sampleMeta(),
    status: content.status ?? 'final',
    category: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/observation-category',
            code: content.category,
            display: categoryNames[content.category],
          },
        ],
      },
    ],
    code: loincConcept(content.code),
    subject: { reference: `Patient/${person.id}` },
    ...(content.encounterId === undefined ? {} : { encounter: { reference: `Encounter/${content.encounterId}` } }),
    effectiveDateTime: content.dayOnly
      ? formatDay(content.effectiveMs, offsetMinutes)
      : formatInstant(content.effectiveMs, offsetMinutes),
    issued: formatInstant(content.issuedMs, content.issuedInUtc ? 0 : offsetMinutes),
    ...(content.quantity === undefined ? {} : { valueQuantity: content.quantity }),
    ...(content.answer === undefined ? {} : { valueCodeableConcept: content.answer }),
    ...(content.dataAbsentReason === undefined ? {} : { dataAbsentReason: absentReason(content.dataAbsentReason) }),
    ...(content.note === undefined ? {} : { note: [{ text: content.note }] }),
    ...(content.components === undefined ? {} : { component: content.components }),
  };
}

export function loincConcept(code: LoincCode): CodeableConcept {
  return { coding: [{ system: 'http://loinc.org', code: code.code, display: code.display }], text: code.display };
}

/** A quantity whose UCUM code is also how people write it. */
export function quantity(value: number, ucum: string): Quantity {
  return { value, unit: ucum, system: 'http://unitsofmeasure.org', code: ucum };
}

function absentReason(code: 'error' | 'not-performed'): CodeableConcept {
  const system = 'http://terminology.hl7.org/CodeSystem/data-absent-reason';
  return { coding: [{ system, code, display: absentReasonNames[code] }] };
}
