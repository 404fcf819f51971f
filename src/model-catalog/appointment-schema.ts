import Type, { type Static } from 'typebox';
import { described, duration, label, strict, timeUnit, zero } from './schema-terms.ts';

export const appointment = Type.Object(
  {
    kind: Type.Literal('appointment'),
    label,
    pick: Type.Union(
      [Type.Literal('lead-time'), Type.Literal('weekday'), Type.Literal('hour'), Type.Literal('no-shows')],
      {
        description:
          'of the next booked appointment: how long before it it was made, or its day of the week or hour in the zone of the site; or how many appointments before as-of were missed',
      },
    ),
    per: Type.Optional(timeUnit),
    window: Type.Optional(described(duration, 'for no-shows: how long before as-of they may have been')),
    absent: Type.Optional(zero),
  },
  { ...strict, description: 'the next booked appointment of the subject, or those that were missed' },
);

export type AppointmentDefinition = Static<typeof appointment>;

/** Values of the pick `weekday`, in the order of ISO 8601. */
export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
