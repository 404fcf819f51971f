import type { Coding, Encounter } from '@medplum/fhirtypes';
import type { Person } from './draw-person.ts';
import type { Visit, VisitKind } from './draw-visits.ts';
import { sampleMeta } from './resource-identity.ts';
import { formatInstant } from './sample-time.ts';

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const snomed = 'http://snomed.info/sct';

const kinds: Readonly<Record<VisitKind, { readonly setting: Coding; readonly type: Coding }>> = {
  'check-up': {
    setting: { system: actCode, code: 'AMB', display: 'ambulatory' },
    type: { system: snomed, code: '185349003', display: 'Encounter for check up' },
  },
  'follow-up': {
    setting: { system: actCode, code: 'AMB', display: 'ambulatory' },
    type: { system: snomed, code: '390906007', display: 'Follow-up encounter' },
  },
  remote: {
    setting: { system: actCode, code: 'VR', display: 'virtual' },
    type: { system: snomed, code: '448337001', display: 'Telemedicine consultation with patient' },
  },
  emergency: {
    setting: { system: actCode, code: 'EMER', display: 'emergency' },
    type: { system: snomed, code: '50849002', display: 'Emergency room admission' },
  },
  admission: {
    setting: { system: actCode, code: 'IMP', display: 'inpatient encounter' },
    type: { system: snomed, code: '32485007', display: 'Hospital admission' },
  },
};

export function buildEncounters(person: Person, visits: readonly Visit[]): Encounter[] {
  return visits.map((visit) => {
    const { setting, type } = kinds[visit.kind];
    return {
      resourceType: 'Encounter',
      id: visit.encounterId,
      meta: sampleMeta(),
      status: visit.endMs === undefined ? 'in-progress' : 'finished',
      class: { ...setting },
      type: [{ coding: [{ ...type }], text: type.display }],
      subject: { reference: `Patient/${person.id}` },
      period: {
        start: formatInstant(visit.startMs, person.offsetMinutes),
        ...(visit.endMs === undefined ? {} : { end: formatInstant(visit.endMs, person.offsetMinutes) }),
      },
    };
  });
}
