import type { Condition, Encounter, Observation, Patient, Procedure, Resource } from '@medplum/fhirtypes';
import { attendedStatuses } from '../../features/attendance.ts';
import { compileEncounterClass } from '../../features/encounter-class.ts';
import { resultStatuses } from '../../features/result-standing.ts';
import { changesMeaning } from '../../features/unknown-meaning.ts';
import { compileTokens } from '../../fhir/codes.ts';
import { type InstantRange, instantRange } from '../../fhir/instant-range.ts';
import type { LabelEvent } from '../../model-catalog/label-event-schema.ts';
import { conditionTime } from './condition-time.ts';

/** When something that may be the event happened; `unknown` where it does not say, or cannot be read. */
export type EventTime = InstantRange | 'unknown';

/** The times of all that may be the event in what was read of one subject, in no order. */
export type EventTimes = (patient: Patient, resources: readonly Resource[]) => EventTime[];

const verification = 'http://terminology.hl7.org/CodeSystem/condition-ver-status';
const isNotTrue = compileTokens([`${verification}|refuted`, `${verification}|entered-in-error`]);
/** Statuses of a procedure that was begun, or of which nobody knows. */
export const performedStatuses: readonly string[] = ['completed', 'in-progress', 'on-hold', 'stopped', 'unknown'];

/** @param timeZone of the site: a date without a time is the whole day there */
export function compileEventTimes(events: LabelEvent['events'], timeZone: string): EventTimes {
  const readers = events.map((event) => readerOf(event, timeZone));
  return (patient, resources) => readers.flatMap((read) => read(patient, resources));
}

function readerOf(event: LabelEvent['events'][number], timeZone: string): EventTimes {
  const at = (text: string | undefined): EventTime =>
    (text === undefined ? undefined : instantRange(text, timeZone)) ?? 'unknown';
  switch (event.kind) {
    case 'condition': {
      const isListed = compileTokens(event.codes);
      return (_, resources) =>
        ofType<Condition>(resources, 'Condition')
          .filter((one) => isListed(one.code) && !saysNotTrue(one))
          .map((one) => readable(one, conditionTime(one, timeZone)));
    }
    case 'procedure': {
      const isListed = compileTokens(event.codes);
      return (_, resources) =>
        ofType<Procedure>(resources, 'Procedure')
          .filter(({ code, status }) => isListed(code) && performedStatuses.includes(status))
          .map((one) => readable(one, one.status === 'unknown' ? 'unknown' : at(procedureDate(one))));
    }
    case 'observation': {
      const isListed = compileTokens(event.codes);
      return (_, resources) =>
        ofType<Observation>(resources, 'Observation')
          .filter(({ code, status }) => isListed(code) && resultStatuses.includes(status))
          .map((one) => readable(one, at(observationDate(one))));
    }
    case 'encounter': {
      const isOfClass = compileEncounterClass(event.classes);
      return (_, resources) =>
        ofType<Encounter>(resources, 'Encounter').flatMap((one) => {
          if (!attendedStatuses.includes(one.status) && one.status !== 'unknown') return [];
          const isWanted = isOfClass(one);
          if (isWanted === false) return [];
          return [isWanted === 'unknown' || one.status === 'unknown' ? 'unknown' : at(one.period?.start)];
        });
    }
    case 'death':
      return (patient) => deathTimes(patient, timeZone);
  }
}

/** Whether a diagnosis was refuted, or entered in error. */
export function saysNotTrue({ verificationStatus }: Condition): boolean {
  return isNotTrue(verificationStatus);
}

/** None for one who is not known to have died. */
export function deathTimes(patient: Patient, timeZone: string): EventTime[] {
  const { deceasedBoolean, deceasedDateTime } = patient;
  if (deceasedDateTime !== undefined) return [readable(patient, instantRange(deceasedDateTime, timeZone) ?? 'unknown')];
  return deceasedBoolean === true ? ['unknown'] : [];
}

/** When a procedure began. */
export function procedureDate({ performedDateTime, performedPeriod }: Procedure): string | undefined {
  return performedDateTime ?? performedPeriod?.start;
}

/** When a result was true, or began to be. */
export function observationDate({
  effectiveDateTime,
  effectiveInstant,
  effectivePeriod,
}: Observation): string | undefined {
  return effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.start;
}

function readable(resource: Parameters<typeof changesMeaning>[0], time: EventTime): EventTime {
  return changesMeaning(resource) ? 'unknown' : time;
}

function ofType<T extends Resource>(resources: readonly Resource[], type: T['resourceType']): T[] {
  return resources.filter((resource): resource is T => resource.resourceType === type);
}
