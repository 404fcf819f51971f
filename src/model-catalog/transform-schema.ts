import Type, { type Static } from 'typebox';
import { strict } from './schema-terms.ts';

const step = Type.Union([
  Type.Object(
    { clip: Type.Tuple([Type.Number(), Type.Number()], { description: 'smallest and largest value' }) },
    {
      ...strict,
      description: 'smallest and largest value; what lies outside is taken for the limit, and the result says so',
    },
  ),
  Type.Object(
    {
      log: Type.Union([Type.Literal('ln'), Type.Literal('log2'), Type.Literal('log10'), Type.Literal('log1p')], {
        description: 'which logarithm',
      }),
    },
    { ...strict, description: 'logarithm; log1p is ln(1 + x)' },
  ),
  Type.Object(
    {
      zScore: Type.Object(
        {
          mean: Type.Number({ description: 'mean of the training set' }),
          sd: Type.Number({ exclusiveMinimum: 0, description: 'standard deviation of the training set' }),
        },
        { ...strict, description: '(x - mean) / sd' },
      ),
    },
    { ...strict, description: '(x - mean) / sd, both of the training set' },
  ),
  Type.Object(
    { minMax: Type.Tuple([Type.Number(), Type.Number()], { description: 'min and max of the training set' }) },
    { ...strict, description: '(x - min) / (max - min), both of the training set' },
  ),
  Type.Object(
    { bins: Type.Array(Type.Number(), { minItems: 1, description: 'edges, ascending' }) },
    { ...strict, description: 'how many of the edges (ascending) x has reached: 0 below the first' },
  ),
]);

/** What the training did to a value and the graph of the model does not, step by step. */
export const transformSchema = Type.Array(step, {
  minItems: 1,
  description: 'what the training did to the value and the graph does not, step by step',
});
export type TransformStep = Static<typeof step>;
