import { unitConversion } from '../fhir/ucum.ts';

/**
 * Milliseconds of a UCUM unit of time; a month is 30.4375 days there, and a year 365.25.
 * @throws RangeError for what is no unit of time
 */
export function unitMs(unit: string | undefined): number {
  const conversion = unit === undefined ? undefined : unitConversion(unit, 'ms');
  if (conversion === undefined || 'refused' in conversion)
    throw new RangeError(`'per' needs a unit of time, not '${unit}'`);
  return conversion.factor;
}
