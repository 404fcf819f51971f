import Type, { type Static } from 'typebox';
import { absence, described, duration, strict, timeUnit, zero } from './schema-terms.ts';

/** Keys of a feature about things that happened or were asked for: when one counts, and what is made of those that do. */
export const eventTerms = {
  window: Type.Optional(described(duration, 'how long before as-of it may have been')),
  when: Type.Optional(Type.Literal('ever', { description: 'at or before as-of, however long ago' })),
  during: Type.Optional(Type.Literal('encounter', { description: 'in the encounter that the call names' })),
  pick: Type.Optional(
    Type.Union([Type.Literal('any'), Type.Literal('count'), Type.Literal('time-since')], {
      description: 'yes or no (default), how many, or how long before as-of the last one was',
    }),
  ),
  per: Type.Optional(timeUnit),
  absent: Type.Optional(
    Type.Union([absence, zero], {
      description: 'when none found may be read as no, or 0; without it none is a reason',
    }),
  ),
} as const;

const event = Type.Object(eventTerms, strict);

/** What a feature says of when its events count, and what is made of them. */
export type EventTerms = Static<typeof event> & { readonly label: string };
