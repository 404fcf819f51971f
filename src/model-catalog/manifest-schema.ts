import Type, { type Static } from 'typebox';
import { cdsHooksSchema } from './cds-hooks-schema.ts';
import { explanationSchema } from './explanation-schema.ts';
import { outcomeSchema } from './outcome-schema.ts';
import { schemaLink, strict } from './schema-terms.ts';
import { transformSchema } from './transform-schema.ts';

/** The form of `manifest.json`: identity, intended use, tensors, outcomes, bands, reference person, CDS Hooks, checksums. */

const text = (description: string) => Type.String({ minLength: 1, description });
const title = (description: string) => Type.String({ minLength: 1, maxLength: 120, description });
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

const direction = Type.Union([Type.Literal('rises'), Type.Literal('falls')]);

const elementType = Type.Union([Type.Literal('float32'), Type.Literal('float64')], {
  description: 'type of its elements',
});

export const manifestSchema = Type.Object(
  {
    $schema: schemaLink,
    id: Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$', description: 'id of the model, and the name of its folder' }),
    version: Type.String({
      pattern: '^\\d+\\.\\d+\\.\\d+$',
      description: 'three numbers, and the name of the version folder; the highest that is loaded is the default',
    }),
    title: title('name of the model for people'),
    publisher: text('who publishes this folder'),
    description: text('what the model computes'),
    intendedUse: text('for what and for whom it may be used'),
    cautions: Type.Array(Type.String({ minLength: 1 }), { description: 'what a reader of a result must know' }),
    demonstration: Type.Optional(
      Type.Literal(true, {
        description:
          'the model shows what can be done and is for no patient: its results are marked as test data, and it is no CDS service and not written back for records of another server unless DEMONSTRATION_MODELS is on',
      }),
    ),
    supersededBy: Type.Optional(
      Type.Object(
        { model: text('id of the later model'), because: text('why it is to be preferred') },
        { ...strict, description: 'a model that is to be preferred; repeated in every result' },
      ),
    ),
    sources: Type.Array(
      Type.Object({ citation: text('where it is published'), doi: Type.Optional(text('its DOI')) }, strict),
      { minItems: 1, description: 'publications that the model rests on' },
    ),
    coefficientSet: Type.Optional(text('which of several published sets of coefficients')),
    validFor: Type.String({
      pattern: '^P\\d+[YMWD]$',
      description: 'how long after as-of a result may be shown as current',
    }),
    tensors: Type.Object(
      {
        input: Type.Object(
          {
            name: text('name of the input in the graph'),
            type: elementType,
            acceptsNaN: Type.Optional(
              Type.Literal(true, { description: 'the model takes NaN for a value that is missing on purpose' }),
            ),
            columns: Type.Array(
              Type.Object(
                {
                  feature: text('name of a feature of the map'),
                  encode: Type.Optional(
                    Type.Record(Type.String(), Type.Number(), {
                      description: 'number per code, for coded features; booleans are 1 and 0',
                    }),
                  ),
                  transform: Type.Optional(transformSchema),
                  at: Type.Optional(
                    Type.Object(
                      {
                        bin: Type.Integer({ minimum: 0, description: 'which bin, from 0, the oldest' }),
                        channel: Type.Union([Type.Literal('value'), Type.Literal('mask'), Type.Literal('since')], {
                          description:
                            'its value; 1 where it holds a measurement, else 0; or how many bins ago the last one was',
                        }),
                      },
                      { ...strict, description: 'for a sequence: which of its numbers' },
                    ),
                  ),
                  indicator: Type.Optional(
                    Type.Literal('missing', {
                      description: '1 where the feature is given to the model as missing, else 0, instead of its value',
                    }),
                  ),
                },
                strict,
              ),
              { minItems: 1, description: 'what fills each column, from left to right' },
            ),
          },
          { ...strict, description: 'rows by columns; the number of rows is left free' },
        ),
        output: Type.Object(
          {
            name: text('name of the output in the graph'),
            type: elementType,
            columns: Type.Integer({ minimum: 1, description: 'how many columns it has' }),
          },
          { ...strict, description: 'rows by columns; `outcomes` say which column is what' },
        ),
      },
      { ...strict, description: 'input and output of the graph' },
    ),
    outcomes: Type.Array(outcomeSchema, {
      minItems: 1,
      description:
        'what is predicted: probabilities only, or none; the first that is none becomes the value of an Observation, the others its components',
    }),
    explanation: explanationSchema,
    directions: Type.Optional(
      Type.Record(Type.String(), Type.Union([direction, Type.Record(Type.String(), direction, { minProperties: 1 })]), {
        description:
          'which way the score goes when a feature grows (yes above no) and nothing else changes: for every outcome, or by outcome id; `fhirsight lint` checks it',
      }),
    ),
    cdsHooks: Type.Optional(cdsHooksSchema),
    checksums: Type.Record(Type.String(), sha256, {
      description: 'SHA-256 of every other file of the folder that the server reads',
    }),
  },
  strict,
);

export type Manifest = Static<typeof manifestSchema>;
export type Direction = Static<typeof direction>;
