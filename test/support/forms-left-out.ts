import type { RecordResource } from '../../src/records/clinical-record.ts';
import { futureInstants, futureTimes, terminology } from './arbitrary-terms.ts';

const before = '2026-02-20T08:00:00Z';
const noTime = {
  effectiveDateTime: undefined,
  effectiveInstant: undefined,
  effectivePeriod: undefined,
  effectiveTiming: undefined,
};
const undated = { onsetDateTime: undefined, onsetPeriod: undefined, onsetAge: undefined, onsetString: undefined };
const notPerformed = { performedDateTime: undefined, performedPeriod: undefined, performedString: undefined };

/**
 * The changes by which the rules of the language leave a resource of any content out of every reading.
 *
 * Not a diagnosis or a statement that began before as-of and was written down later, and none with an unknown modifier, whose
 * very status may mean something else: these are reasons by the rules of the language.
 */
export function formsLeftOut({ resourceType }: RecordResource): object[] {
  const withStatus = (...statuses: string[]) => statuses.map((status) => ({ status }));
  switch (resourceType) {
    case 'Observation':
      return [
        ...withStatus('entered-in-error', 'preliminary', 'registered', 'cancelled'),
        { focus: [{ reference: 'Patient/2' }] },
        ...futureInstants.flatMap((at) => [{ issued: at }, { ...noTime, effectiveInstant: at }]),
        ...futureTimes.flatMap((at) => [
          { ...noTime, effectiveDateTime: at },
          { ...noTime, effectivePeriod: { start: at } },
          { ...noTime, effectivePeriod: { start: before, end: at } },
          { ...noTime, effectivePeriod: { end: at } },
        ]),
      ];
    case 'DiagnosticReport':
      return [
        ...withStatus('entered-in-error', 'preliminary', 'registered', 'partial', 'cancelled'),
        ...futureInstants.map((issued) => ({ issued })),
        ...futureTimes.flatMap((at) => [
          { effectivePeriod: undefined, effectiveDateTime: at },
          { effectiveDateTime: undefined, effectivePeriod: { start: at } },
          { effectiveDateTime: undefined, effectivePeriod: { start: before, end: at } },
        ]),
      ];
    case 'Condition':
      return [
        { verificationStatus: terminology('condition-ver-status')('entered-in-error') },
        ...futureTimes.flatMap((at) => [
          { ...undated, onsetDateTime: at },
          { ...undated, onsetPeriod: { start: at } },
          { ...undated, recordedDate: at },
        ]),
      ].map((form) => ({ ...form, modifierExtension: undefined }));
    case 'MedicationRequest':
      return [
        ...withStatus('entered-in-error', 'draft', 'cancelled'),
        { intent: 'proposal' },
        ...futureTimes.map((authoredOn) => ({ authoredOn })),
      ];
    case 'MedicationStatement':
    case 'MedicationAdministration':
      return [
        ...withStatus('entered-in-error', ...(resourceType === 'MedicationStatement' ? ['intended'] : ['not-done'])),
        ...futureTimes.flatMap((at) => [
          { effectiveDateTime: at, effectivePeriod: undefined },
          { effectiveDateTime: undefined, effectivePeriod: { start: at } },
        ]),
      ];
    case 'MedicationDispense':
      return [
        ...withStatus('entered-in-error', 'preparation', 'declined'),
        ...futureTimes.map((whenHandedOver) => ({ whenHandedOver })),
      ];
    case 'Procedure':
      return [
        ...withStatus('entered-in-error', 'preparation', 'not-done'),
        ...futureTimes.flatMap((at) => [
          { ...notPerformed, performedDateTime: at },
          { ...notPerformed, performedPeriod: { start: at } },
        ]),
      ];
    case 'AllergyIntolerance':
      return [
        { verificationStatus: terminology('allergyintolerance-verification')('entered-in-error') },
        ...futureTimes.map((recordedDate) => ({ recordedDate, meta: undefined, modifierExtension: undefined })),
      ];
    case 'FamilyMemberHistory':
      return [...withStatus('entered-in-error'), ...futureTimes.map((date) => ({ date, meta: undefined }))];
    case 'ServiceRequest':
      return [
        ...withStatus('entered-in-error', 'draft', 'revoked'),
        { intent: 'proposal' },
        ...futureTimes.map((authoredOn) => ({ authoredOn })),
      ];
    case 'QuestionnaireResponse':
      return [...withStatus('entered-in-error', 'in-progress'), ...futureTimes.map((authored) => ({ authored }))];
    case 'Appointment':
      return [
        ...withStatus('entered-in-error', 'proposed', 'pending', 'waitlist'),
        ...futureTimes.map((created) => ({ created, status: 'booked' })),
      ];
    default:
      return [
        ...withStatus('entered-in-error', 'planned', 'cancelled'),
        ...futureTimes.flatMap((start) => [{ period: { start } }, { period: { start, end: before } }]),
      ];
  }
}
