import Type from 'typebox';
import { featureName, strict } from './schema-terms.ts';

const onlyFor = Type.Optional(
  Type.Array(Type.String(), { minItems: 1, description: 'outcome ids this rule holds for; absent: all' }),
);

/** The part of a feature map that says who the model may speak about. */
export const populationSchema = Type.Object(
  {
    exclude: Type.Array(
      Type.Object(
        {
          reason: Type.String(),
          feature: featureName,
          equals: Type.Boolean(),
          message: Type.String(),
          outcomes: onlyFor,
        },
        strict,
      ),
      { description: 'not eligible when the feature equals the value' },
    ),
    require: Type.Array(
      Type.Union([
        Type.Object(
          {
            reason: Type.String(),
            feature: featureName,
            from: Type.Number(),
            to: Type.Number(),
            message: Type.String(),
            outcomes: onlyFor,
          },
          strict,
        ),
        Type.Object(
          {
            reason: Type.String(),
            feature: featureName,
            in: Type.Array(Type.String(), { minItems: 1 }),
            message: Type.String(),
            outcomes: onlyFor,
          },
          strict,
        ),
      ]),
      { description: 'not eligible unless the feature lies in the range (inclusive) or the list' },
    ),
    ranges: Type.Array(
      Type.Object(
        {
          feature: featureName,
          from: Type.Number(),
          to: Type.Optional(Type.Number()),
          below: Type.Optional(Type.Number()),
          outcomes: onlyFor,
        },
        { ...strict, description: 'out of range unless from ≤ value ≤ to, or from ≤ value < below' },
      ),
    ),
    mostImputed: Type.Optional(
      Type.Integer({ minimum: 0, description: 'with more imputed features than this the model abstains' }),
    ),
  },
  {
    ...strict,
    description: 'who the model may speak about; deceased, inactive, merged and opted-out subjects are always excluded',
  },
);
