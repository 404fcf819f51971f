import Type, { type Static } from 'typebox';
import { schemaLink, strict, token } from './schema-terms.ts';

const tokens = (description: string) => Type.Array(token, { minItems: 1, uniqueItems: true, description });

const kinds = [
  Type.Object(
    {
      kind: Type.Literal('condition', { description: 'a diagnosis, by its onset, else when it was recorded' }),
      codes: tokens('any of which it has'),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('procedure', { description: 'a procedure that was performed, by its beginning' }),
      codes: tokens('any of which it has'),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('observation', { description: 'a final result, whatever its value, by its effective time' }),
      codes: tokens('any of which it has'),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('encounter', { description: 'an encounter that took place, by its beginning' }),
      classes: tokens('any of which is its class'),
    },
    strict,
  ),
  Type.Object({ kind: Type.Literal('death', { description: 'Patient.deceased' }) }, strict),
] as const;

const event = Type.Unsafe<Static<(typeof kinds)[number]>>({
  type: 'object',
  discriminator: { propertyName: 'kind' },
  properties: { kind: { type: 'string', description: 'what happened; the other keys follow from it' } },
  required: ['kind'],
  oneOf: [...kinds],
});

/**
 * The form of the file that `--label-event` names: what a prediction is paired with, in FHIR terms. Nothing has a default:
 * each choice changes the labels, and whoever reads the figures has to know it.
 */
export const labelEventSchema = Type.Object(
  {
    $schema: schemaLink,
    events: Type.Array(event, { minItems: 1, description: 'the event is the first of any of these after as-of' }),
    horizon: Type.String({ pattern: '^P\\d+[YMWD]$', description: 'ISO 8601 duration after as-of' }),
    followedUntil: Type.Union(
      [
        Type.Object(
          {
            date: Type.String({
              pattern: '^\\d{4}-\\d{2}-\\d{2}$',
              description: 'day up to whose end the record holds what happened to everybody',
            }),
          },
          strict,
        ),
        Type.Object(
          {
            last: Type.Enum(['encounter', 'record'], {
              description:
                'the beginning of the last encounter, or of the newest encounter, diagnosis, procedure or result of the record',
            }),
          },
          strict,
        ),
      ],
      { description: 'how long a subject is known to have been followed' },
    ),
    death: Type.Enum(['no-event', 'left-out'], {
      description: 'what one who died within the horizon without the event counts as',
    }),
    eventBefore: Type.Enum(['ignored', 'left-out'], {
      description: 'what becomes of one who had the event at or before as-of already',
    }),
  },
  strict,
);

export type LabelEvent = Static<typeof labelEventSchema>;
