import type { EventTerms } from './event-schema.ts';

const places = ['window', 'when', 'during'] as const;

/** That a feature says once when its events count, and that its other keys go with its pick. */
export function checkEvent(terms: EventTerms, find: (path: string, message: string) => void): void {
  const given = places.filter((key) => terms[key] !== undefined);
  if (given.length !== 1) find('', `needs one of ${places.join(', ')}, and no more than one`);
  const { pick = 'any', per, absent } = terms;
  if (pick === 'time-since' && per === undefined) find('/per', 'is needed by time-since: the unit of time, such as d');
  if (pick !== 'time-since' && per !== undefined) find('/per', `is for time-since, not for ${pick}`);
  if (absent === undefined) return;
  if (pick === 'time-since') find('/absent', 'is not for time-since: none is a reason there');
  const none = pick === 'count' ? 0 : false;
  if (pick !== 'time-since' && absent.assume !== none) find('/absent/assume', `has to be ${none} for ${pick}`);
}
