import Type, { type Static } from 'typebox';
import { schemaLink, strict } from './schema-terms.ts';

/** The form of `golden/*.json`: inputs with the scores they must give, checked at every load. */

/** One bin: value, mask, bins since the last measurement. */
const bin = Type.Tuple([Type.Number(), Type.Union([Type.Literal(0), Type.Literal(1)]), Type.Number({ minimum: 0 })]);
const sequenceInput = Type.Array(bin, {
  minItems: 1,
  description: 'of a sequence, for each bin from the oldest: value, mask, and bins since the last measurement',
});

const goldenCase = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'names the case in messages' }),
    inputs: Type.Record(
      Type.String(),
      Type.Union([Type.Number(), Type.Boolean(), Type.String(), Type.Null(), sequenceInput]),
      {
        description:
          'a value for the feature of every input column, in the unit of the feature map; null where it is given as missing',
      },
    ),
    expected: Type.Record(Type.String(), Type.Number(), {
      minProperties: 1,
      description: 'score by outcome id: probability (0..1), points, value in the unit, or number of the class',
    }),
    tolerance: Type.Number({ exclusiveMinimum: 0, maximum: 0.001, description: 'largest absolute difference' }),
  },
  strict,
);

export const goldenFileSchema = Type.Object(
  {
    $schema: schemaLink,
    source: Type.String({ minLength: 1, description: 'where the expected values come from' }),
    cases: Type.Array(goldenCase, { minItems: 1, description: 'inputs with what they must give' }),
  },
  strict,
);

export type GoldenFile = Static<typeof goldenFileSchema>;
export type GoldenCase = Static<typeof goldenCase>;
