import type { Patient, Resource } from '@medplum/fhirtypes';
import { lastInstant } from '../../features/last-instant.ts';
import { parseFhirDate } from '../../fhir/date-time.ts';
import type { LabelEvent } from '../../model-catalog/label-event-schema.ts';
import { addDuration } from '../../results/duration.ts';
import { contactTime } from './contact-time.ts';
import { compileEventTimes, deathTimes, type EventTime } from './event-times.ts';

/** What became of one subject after as-of: the label, or why there is none. */
export type Followed = { readonly truth: 0 | 1 } | { readonly leftOut: string };

/** Where a time lies: at or before as-of, within the horizon, after it; or it may lie in more than one of these. */
type Place = 'before' | 'within' | 'after' | 'unknown';

/**
 * Pairs a prediction with what happened: 1 where the event lies surely after as-of and within the horizon; 0 where it surely
 * does not, and the subject was followed up to the end of the horizon. Everybody else has no label, and the reason: an
 * event before, a death where that was declared so, a time that is not known well enough, or too short a follow-up. The horizon
 * ends by the calendar of the site, when the period of a published result ends.
 * @param timeZone of the site
 * @param now what is said to have happened after it is not known well enough, and shows no follow-up
 */
export function compileLabel(
  declared: LabelEvent,
  { timeZone, now }: { readonly timeZone: string; readonly now: Date },
): (patient: Patient, resources: readonly Resource[], asOf: Date) => Followed {
  const eventTimes = compileEventTimes(declared.events, timeZone);
  const followedUntil = compileFollowUp(declared.followedUntil, timeZone, now.getTime());
  return (patient, resources, asOf) => {
    const end = addDuration(asOf, declared.horizon, timeZone).getTime();
    const placesOf = (times: readonly EventTime[]): Set<Place> =>
      new Set(times.map((time) => placeOf(time, { asOf: asOf.getTime(), end, now: now.getTime() })));
    const died = deathTimes(patient, timeZone);
    const deaths = placesOf(died);
    if (deaths.has('before')) return { leftOut: 'death-before' };
    // What is recorded of the dead is older than its record: of one who may have been dead at as-of, it may lie before that.
    const isOfDead = (time: EventTime): boolean =>
      time !== 'unknown' &&
      died.some((death) => death !== 'unknown' && death.start <= asOf.getTime() && death.end <= time.start);
    const events = placesOf(eventTimes(patient, resources).map((time) => (isOfDead(time) ? 'unknown' : time)));
    if (events.has('before') && declared.eventBefore === 'left-out') return { leftOut: 'event-before' };
    // One that may lie before as-of decides whether the subject belongs here at all.
    if (events.has('unknown') && (declared.eventBefore === 'left-out' || !events.has('within')))
      return { leftOut: 'time-unknown' };
    if (events.has('within')) return { truth: 1 };
    if (deaths.has('unknown')) return { leftOut: 'time-of-death-unknown' };
    if (deaths.has('within')) return declared.death === 'no-event' ? { truth: 0 } : { leftOut: 'death' };
    return followedUntil(resources) >= end ? { truth: 0 } : { leftOut: 'not-followed-up' };
  };
}

/** A point in time counts as it is; of a day or a month all of it must lie there. What has not happened yet lies nowhere. */
function placeOf(
  time: EventTime,
  { asOf, end, now }: { readonly asOf: number; readonly end: number; readonly now: number },
): Place {
  if (time === 'unknown' || time.start > now) return 'unknown';
  const last = lastInstant(time);
  if (last <= asOf) return 'before';
  if (time.start > end) return 'after';
  return time.start > asOf && last <= end ? 'within' : 'unknown';
}

/** Epoch milliseconds up to which a subject is known to have been followed. */
function compileFollowUp(
  until: LabelEvent['followedUntil'],
  timeZone: string,
  now: number,
): (resources: readonly Resource[]) => number {
  if ('date' in until) {
    const day = parseFhirDate(until.date, timeZone);
    if (day === undefined) throw new RangeError(`${until.date} is no date`);
    return () => day.end.getTime();
  }
  return (resources) =>
    resources.reduce((latest, resource) => {
      if (until.last === 'encounter' && resource.resourceType !== 'Encounter') return latest;
      return Math.max(latest, contactTime(resource, timeZone, now) ?? Number.NEGATIVE_INFINITY);
    }, Number.NEGATIVE_INFINITY);
}
