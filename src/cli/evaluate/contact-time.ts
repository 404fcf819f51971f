import type { Resource } from '@medplum/fhirtypes';
import { attendedStatuses } from '../../features/attendance.ts';
import { resultStatuses } from '../../features/result-standing.ts';
import { changesMeaning } from '../../features/unknown-meaning.ts';
import { instantRange } from '../../fhir/instant-range.ts';
import { observationDate, performedStatuses, procedureDate, saysNotTrue } from './event-times.ts';

/**
 * When something happened to a subject that shows that they were followed then: the beginning of an encounter that took
 * place, a procedure that was performed, a result that somebody stands by, the record of a diagnosis that was not withdrawn.
 * @param timeZone of the site
 * @param now epoch milliseconds: what is said to lie after it has not happened
 * @returns epoch milliseconds; undefined for everything else, and for what says no time or carries a modifier that nobody here knows
 */
export function contactTime(resource: Resource, timeZone: string, now: number): number | undefined {
  const text = contactDate(resource);
  const start = text === undefined ? undefined : instantRange(text, timeZone)?.start;
  return start !== undefined && start <= now ? start : undefined;
}

function contactDate(resource: Resource): string | undefined {
  switch (resource.resourceType) {
    case 'Encounter':
      return attendedStatuses.includes(resource.status) && !changesMeaning(resource)
        ? resource.period?.start
        : undefined;
    case 'Condition':
      return saysNotTrue(resource) || changesMeaning(resource)
        ? undefined
        : (resource.recordedDate ?? resource.onsetDateTime ?? resource.onsetPeriod?.start);
    case 'Procedure':
      return resource.status !== 'unknown' && performedStatuses.includes(resource.status) && !changesMeaning(resource)
        ? procedureDate(resource)
        : undefined;
    case 'Observation':
      return resultStatuses.includes(resource.status) && !changesMeaning(resource)
        ? observationDate(resource)
        : undefined;
    default:
      return undefined;
  }
}
