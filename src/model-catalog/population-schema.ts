import Type from 'typebox';
import { described, featureName, strict } from './schema-terms.ts';

const judged = described(featureName, 'the feature that is judged');
const reason = Type.String({ description: 'short code of the reason, given with the abstention' });
const message = Type.String({ description: 'the reason as a sentence for people' });

const onlyFor = Type.Optional(
  Type.Array(Type.String(), { minItems: 1, description: 'outcome ids this rule holds for; absent: all' }),
);

/** The part of a feature map that says who the model may speak about. */
export const populationSchema = Type.Object(
  {
    exclude: Type.Array(
      Type.Object(
        {
          reason,
          feature: judged,
          equals: Type.Boolean({ description: 'with this value the subject is not eligible' }),
          message,
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
            reason,
            feature: judged,
            from: Type.Number({ description: 'smallest value, inclusive, in the unit of the feature' }),
            to: Type.Number({ description: 'largest value, inclusive' }),
            message,
            outcomes: onlyFor,
          },
          strict,
        ),
        Type.Object(
          {
            reason,
            feature: judged,
            in: Type.Array(Type.String(), { minItems: 1, description: 'codes of the vocabulary that are eligible' }),
            message,
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
          feature: judged,
          from: Type.Number({ description: 'smallest value, inclusive, in the unit of the feature' }),
          to: Type.Optional(Type.Number({ description: 'largest value, inclusive' })),
          below: Type.Optional(Type.Number({ description: 'upper limit, exclusive' })),
          outcomes: onlyFor,
        },
        { ...strict, description: 'out of range unless from ≤ value ≤ to, or from ≤ value < below' },
      ),
      { description: 'ranges for which the model was made; outside them it abstains' },
    ),
    crossChecks: Type.Optional(
      Type.Array(
        Type.Object(
          {
            features: Type.Tuple([featureName, featureName], {
              description: 'two numbers in one unit that must agree; the second is the measure of the first',
            }),
            within: Type.Object(
              {
                relative: Type.Number({
                  exclusiveMinimum: 0,
                  description: 'largest difference, inclusive, as a share of the second: 0.3 is 30 %',
                }),
              },
              { ...strict, description: 'how far apart the two may be' },
            ),
            message,
            outcomes: onlyFor,
          },
          strict,
        ),
        { description: 'insufficient data where two features that say the same thing are further apart' },
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
