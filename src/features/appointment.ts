import type { Appointment } from '@medplum/fhirtypes';
import { DateTime } from 'luxon';
import { isPlainNumber } from '../fhir/plain-number.ts';
import { weekdays } from '../model-catalog/appointment-schema.ts';
import type { AppointmentDefinition } from '../model-catalog/feature-map-schema.ts';
import { compileEvents } from './event.ts';
import { type ExtractionContext, type FeatureExtractor, missing, unsayable } from './feature-extractor.ts';
import type { FeatureValue, SourceReference } from './feature-vector.ts';
import { nextAppointment } from './next-appointment.ts';
import { unitMs } from './time-unit.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { isVague } from './vague-time.ts';

/**
 * The next booked appointment of the subject: how long before it it was made, its day of the week or its hour; or how many
 * appointments before as-of the subject did not come to.
 * @throws RangeError where `per` cannot be counted in
 */
export function compileAppointment(definition: AppointmentDefinition): FeatureExtractor {
  const { label, pick } = definition;
  if (pick === 'no-shows') return compileNoShows(definition);
  const read = pick === 'lead-time' ? compileLeadTime(label, unitMs(definition.per)) : compileCalendar(pick);
  return (context) => {
    const next = context.once(nextAppointment, () => nextAppointment(context));
    if ('because' in next) return missing(next.because, `${label}: ${next.detail}`, next.sources);
    return read(context, next);
  };
}

type Next = Exclude<ReturnType<typeof nextAppointment>, { readonly because: unknown }>;
type NextReader = (context: ExtractionContext, next: Next) => FeatureValue;

function compileLeadTime(label: string, perMs: number): NextReader {
  return ({ rangeOf }, { appointment, startMs, sources }) => {
    const created = rangeOf(appointment.created);
    if (created === undefined || isVague(created))
      return missing('time-unknown', `${label}: the appointment does not say well enough when it was made`, sources);
    const value = (startMs - created.start) / perMs;
    return isPlainNumber(value) ? derived(appointment, value, sources) : unsayable(label, sources);
  };
}

function compileCalendar(pick: 'weekday' | 'hour'): NextReader {
  return ({ timeZone }, { appointment, startMs, sources }) => {
    const start = DateTime.fromMillis(startMs, { zone: timeZone });
    const day = weekdays[start.weekday - 1];
    if (!start.isValid || day === undefined) throw new RangeError(`there is no day at ${startMs} in ${timeZone}`);
    return derived(appointment, pick === 'weekday' ? day : start.hour, sources);
  };
}

/** As known since the appointment was made: its own time lies in the future. */
function derived({ created }: Appointment, value: number | string, sources: readonly SourceReference[]): FeatureValue {
  return { state: 'derived', value, ...(created === undefined ? {} : { at: created }), from: [], sources };
}

function compileNoShows({ label, window, absent }: AppointmentDefinition): FeatureExtractor {
  const terms = { label, pick: 'count' as const, ...(window && { window }), ...(absent && { absent }) };
  return compileEvents(terms, ({ record }) =>
    record
      .byType('Appointment')
      .filter(({ status }) => status === 'noshow')
      .map((appointment) => ({
        resource: appointment,
        at: appointment.start,
        encounter: undefined,
        read: () =>
          changesMeaning(appointment) ? { unknown: 'an appointment carries a modifier that is not known here' } : true,
      })),
  );
}
