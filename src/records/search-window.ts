import type { Resource } from '@medplum/fhirtypes';
import { instantRange } from '../fhir/instant-range.ts';
import type { RecordQuery } from '../model-catalog/record-queries.ts';

/** A server and the site may read a date without a zone up to 26 hours apart. */
const slackMs = 48 * 60 * 60 * 1000;

/**
 * The instant from which a source may leave rows out, two days before the query's own limit. Only Observation and
 * Encounter have a date parameter that means the clinical date: a Condition recorded late, or an order without a
 * date, would be hidden by theirs, so those are always read whole.
 */
export function windowStart(query: RecordQuery): Date | undefined {
  const dated = query.type === 'Observation' || query.type === 'Encounter';
  return dated && query.since !== undefined ? new Date(query.since.getTime() - slackMs) : undefined;
}

/** False only if the resource certainly ended before `from`: what has no readable date stays. */
export function endsAfter(resource: Resource, from: Date): boolean {
  const end = lastDate(resource);
  const range = typeof end === 'string' ? instantRange(end, 'utc') : undefined;
  return range === undefined || range.end > from.getTime();
}

function lastDate(resource: Resource): string | undefined {
  if (resource.resourceType === 'Observation') {
    return resource.effectiveDateTime ?? resource.effectiveInstant ?? resource.effectivePeriod?.end;
  }
  return resource.resourceType === 'Encounter' ? resource.period?.end : undefined;
}
