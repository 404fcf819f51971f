import Type, { type Static } from 'typebox';
import { component, type LocalUnits, measuring, where } from './observation-schema.ts';
import { described, label, range, strict, tokens, unit } from './schema-terms.ts';

export const sequence = Type.Object(
  {
    kind: Type.Literal('sequence'),
    label,
    unit,
    codes: Type.Optional(described(tokens, 'codes of Observation.code')),
    component: Type.Optional(component),
    status: Type.Optional(
      Type.Array(Type.String(), { minItems: 1, description: 'statuses that count; default final, amended, corrected' }),
    ),
    step: Type.String({
      pattern: '^P(\\d{1,3}[DW]|T\\d{1,4}[HM])$',
      description: 'how long one bin of the grid is: minutes, hours, days of 24 hours or weeks',
    }),
    steps: Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: 'how many bins; the newest ends at as-of, which belongs to it',
    }),
    each: Type.Union([Type.Literal('last'), Type.Literal('mean'), Type.Literal('min'), Type.Literal('max')], {
      description: 'what is made of the measurements of one bin',
    }),
    fill: Type.Optional(
      Type.Object(
        {
          limit: Type.Integer({
            minimum: 1,
            description: 'for how many bins after one with a measurement its value is taken',
          }),
        },
        { ...strict, description: 'bins without a measurement take the value of an earlier one; without it none does' },
      ),
    ),
    empty: Type.Object(
      {
        value: Type.Number({
          description: 'value of a bin that has none, in `unit`, before the transform of a column',
        }),
        since: Type.Number({ minimum: 0, description: 'bins since the last measurement where there was none yet' }),
        source: Type.String({ minLength: 1, description: 'where the two come from: the training of the model' }),
      },
      { ...strict, description: 'what the training put where nothing is known' },
    ),
    atLeast: Type.Integer({ minimum: 1, description: 'so many bins must hold a measurement, else it is too-few' }),
    where: Type.Optional(where),
    ...measuring,
    plausible: range,
    missing: Type.Literal('abstain', { description: 'a sequence is never imputed as a whole' }),
  },
  { ...strict, description: 'measured numbers on a grid of time that ends at as-of' },
);

export type SequenceDefinition = Static<typeof sequence> & {
  /** Added at load by the site file, never in the map. */
  readonly localUnits?: LocalUnits;
};
