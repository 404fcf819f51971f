import Type, { type Static } from 'typebox';
import { sincePattern } from '../changed-since.ts';

const cohort = Type.Union(
  [
    Type.Object({ all: Type.Literal(true) }, { additionalProperties: false }),
    Type.Object({ group: Type.String({ pattern: '^Group/[A-Za-z0-9.-]{1,64}$' }) }, { additionalProperties: false }),
    Type.Object({ search: Type.String({ pattern: '^Patient\\?\\S{1,2000}$' }) }, { additionalProperties: false }),
    Type.Object(
      {
        search: Type.String({ pattern: '^ImagingStudy\\?\\S{1,2000}$' }),
        since: Type.Optional(Type.String({ pattern: sincePattern })),
      },
      { additionalProperties: false },
    ),
  ],
  {
    allowed:
      '{"all": true}, {"group": "Group/[id]"}, {"search": "Patient?[parameters]"} or {"search": "ImagingStudy?[parameters]", "since": "P1D"}',
  },
);

const schedule = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9-]{0,63}$',
      allowed: 'lower-case letters, digits and dashes, at most 64',
    }),
    cron: Type.String({
      allowed: 'five fields: minute, hour, day of month, month, day of week; for example "30 2 * * *"',
    }),
    timeZone: Type.String({ allowed: 'an IANA time zone such as Europe/Berlin, America/New_York or UTC' }),
    model: Type.String({ minLength: 1, maxLength: 128, allowed: 'the id of a model that is served' }),
    version: Type.Optional(Type.String({ minLength: 1, maxLength: 64, allowed: 'a version that is served' })),
    cohort,
    missed: Type.Union([Type.Literal('skip'), Type.Literal('once')], { allowed: '"skip" or "once"' }),
    writeBack: Type.Optional(Type.Boolean({ allowed: 'true or false' })),
    explain: Type.Optional(Type.Boolean({ allowed: 'true or false' })),
  },
  { additionalProperties: false, allowed: 'an object with name, cron, timeZone, model, cohort and missed' },
);

/** The file that SCHEDULES_FILE names. */
export const schedulesSchema = Type.Object(
  { schedules: Type.Array(schedule, { maxItems: 1000, allowed: 'a list of at most 1000 schedules' }) },
  { additionalProperties: false, allowed: 'an object {"schedules": […]}' },
);

/**
 * When a run is made of which cohort. `missed` says what becomes of times at which no server ran: nothing, or one run
 * for the latest of them.
 */
export type Schedule = Static<typeof schedule>;
