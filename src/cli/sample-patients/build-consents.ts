import type { CodeableConcept, Consent } from '@medplum/fhirtypes';
import type { Person } from './draw-person.ts';
import type { Visit } from './draw-visits.ts';
import { type NextId, sampleMeta } from './resource-identity.ts';
import { formatInstant, minuteMs } from './sample-time.ts';

/** A refusal to have data used, for the few who refuse; `inactive` where it was taken back. */
export function buildConsents(person: Person, visits: readonly Visit[], nextId: NextId): Consent[] {
  const { situations } = person;
  const newest = visits.at(-1);
  if (newest === undefined || !(situations.has('opted-out') || situations.has('opt-out-ended'))) return [];
  return [
    {
      resourceType: 'Consent',
      id: nextId('consent'),
      meta: sampleMeta(),
      status: situations.has('opted-out') ? 'active' : 'inactive',
      scope: {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/consentscope',
            code: 'patient-privacy',
            display: 'Privacy Consent',
          },
        ],
      },
      category: [optOut()],
      patient: { reference: `Patient/${person.id}` },
      dateTime: formatInstant(newest.startMs + 2 * minuteMs, person.offsetMinutes),
      policyRule: optOut(),
    },
  ];
}

function optOut(): CodeableConcept {
  return {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT', display: 'opt-out' }],
  };
}
