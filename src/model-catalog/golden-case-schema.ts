import Type, { type Static } from 'typebox';
import type { NpyTensor } from './read-npy.ts';
import { schemaLink, strict } from './schema-terms.ts';

/** The form of `golden/*.json`: inputs with the scores they must give, checked at every load. */

/** One bin: value, mask, bins since the last measurement. */
const bin = Type.Tuple([Type.Number(), Type.Union([Type.Literal(0), Type.Literal(1)]), Type.Number({ minimum: 0 })]);
const sequenceInput = Type.Array(bin, {
  minItems: 1,
  description: 'of a sequence, for each bin from the oldest: value, mask, and bins since the last measurement',
});

const imageInput = Type.Object(
  {
    npy: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*\\.npy$',
      description: 'a file in golden/: float32, as numpy.save writes it, of the shape of the tensor',
    }),
  },
  { ...strict, description: 'of an image the numbers that the model is given, after all steps' },
);

const goldenCase = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'names the case in messages' }),
    inputs: Type.Record(
      Type.String(),
      Type.Union([Type.Number(), Type.Boolean(), Type.String(), Type.Null(), sequenceInput, imageInput]),
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

/** As the file has it: an image is a name there. */
export type GoldenFileText = Static<typeof goldenFileSchema>;
type GoldenCaseText = Static<typeof goldenCase>;
type GoldenInput = Exclude<GoldenCaseText['inputs'][string], { npy: string }> | NpyTensor;

/** With the numbers of its images, see `readGoldenImages`. */
export type GoldenCase = Omit<GoldenCaseText, 'inputs'> & { inputs: Record<string, GoldenInput> };
export type GoldenFile = Omit<GoldenFileText, 'cases'> & { cases: GoldenCase[] };
