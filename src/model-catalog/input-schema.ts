import Type, { type Static } from 'typebox';
import { described, label, missingPolicy, range, strict, unit } from './schema-terms.ts';

export const input = Type.Object(
  {
    kind: Type.Literal('input'),
    label,
    unit: Type.Optional(described(unit, 'UCUM unit of a number; without it the value is yes or no, or a code')),
    plausible: Type.Optional(range),
    whole: Type.Optional(Type.Literal(true, { description: 'the number is a count, or points: it has no fraction' })),
    vocabulary: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z][a-z0-9-]*$' }), {
        minItems: 2,
        uniqueItems: true,
        description: 'the codes that the caller may send',
      }),
    ),
    ask: Type.String({ minLength: 1, description: 'what the caller is asked to judge, in words' }),
    missing: Type.Optional(missingPolicy(Type.Union([Type.Number(), Type.Boolean()]))),
  },
  { ...strict, description: 'a judgement that no record holds: it has the value that the caller asserts, or none' },
);

export type InputDefinition = Static<typeof input>;
