import Type, { type Static } from 'typebox';
import { described, strict, unit } from './schema-terms.ts';

/** The unit that a value has which names none, and who says so. */
export const declaredUnit = Type.Object(
  {
    unit,
    source: Type.String({ minLength: 1, description: 'who says that values without a unit are in this one' }),
  },
  strict,
);

/** Values of an Observation that are no Quantity and may be read as one. What is not named here is a reason. */
export const valueForms = {
  strings: Type.Optional(
    Type.Union([Type.Literal('numbers'), declaredUnit], {
      description:
        'texts that are a number, with or without a comparator and a unit (`<3 mg/dL`), are read; one without a unit only where its unit is declared',
    }),
  ),
  integers: Type.Optional(described(declaredUnit, 'integers are read, in this unit; they have none of their own')),
  ratios: Type.Optional(
    Type.Union([Type.Literal('quotient'), Type.Literal('titer')], {
      description:
        'quotient: numerator by denominator, in their units; titer: what stands after `1:`, a number without a unit',
    }),
  ),
};

const schema = Type.Object(valueForms);
export type ValueForms = Static<typeof schema>;
