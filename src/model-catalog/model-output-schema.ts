import Type, { type Static } from 'typebox';
import { described, label, missingPolicy, range, strict, unit } from './schema-terms.ts';

export const modelOutput = Type.Object(
  {
    kind: Type.Literal('model'),
    label,
    model: Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$', description: 'id of the other model' }),
    version: Type.String({
      pattern: '^\\d+\\.\\d+\\.\\d+$',
      description: 'its version, exactly: the folder <model>/<version> of the same models folder',
    }),
    outcome: Type.String({
      pattern: '^[a-z][a-z0-9-]{1,63}$',
      description: 'which of its outcomes; the feature has the unrounded score',
    }),
    unit: Type.Optional(
      described(
        unit,
        'UCUM unit of a number, the very one of the outcome: 1 of a probability, {score} of points; without it the value is a class',
      ),
    ),
    plausible: Type.Optional(range),
    whole: Type.Optional(Type.Literal(true, { description: 'the outcome is points: the number has no fraction' })),
    vocabulary: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 2,
        uniqueItems: true,
        description: 'the codes of all classes of the outcome',
      }),
    ),
    missing: Type.Optional(missingPolicy(Type.Union([Type.Number(), Type.String()]))),
  },
  {
    ...strict,
    description: 'what another model of the same models folder says of the same record as of the same instant',
  },
);

export type ModelOutputDefinition = Static<typeof modelOutput>;
