import { instantRange } from '../../fhir/instant-range.ts';
import { PredictionError } from '../../platform/errors.ts';

/**
 * As-of from a FHIR dateTime: an instant as given; a bare date is the end of that day in the site's zone.
 * @throws PARAMETER_INVALID for a year, a month, a time without a zone or a date that does not exist
 */
export function parseAsOf(value: string, timeZone: string, expression: string): Date {
  const range = instantRange(value, timeZone);
  if (range === undefined || value.length < 10) {
    const message =
      'asOf takes a date (2026-03-01: the end of that day) or a dateTime with a zone (2026-03-01T08:00:00Z).';
    throw new PredictionError('PARAMETER_INVALID', message, { issues: [{ code: 'value', message, expression }] });
  }
  return new Date(value.length === 10 ? range.end - 1 : range.start);
}
