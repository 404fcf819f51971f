import Type, { type Static } from 'typebox';
import { cdsHooksSchema } from './cds-hooks-schema.ts';
import { transformSchema } from './transform-schema.ts';

/** The form of `manifest.json`: identity, intended use, tensors, outcomes, bands, reference person, CDS Hooks, checksums. */

const strict = { additionalProperties: false } as const;
const text = Type.String({ minLength: 1 });
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

const coding = Type.Object(
  { system: Type.String({ format: 'uri' }), code: text, display: Type.Optional(text) },
  strict,
);

const band = Type.Object(
  {
    code: text,
    display: text,
    from: Type.Number({ minimum: 0, maximum: 1, description: 'probability, inclusive' }),
    below: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'probability, exclusive; absent for the highest band' }),
    ),
    riskProbability: Type.Optional(
      Type.Union(
        [
          Type.Literal('negligible'),
          Type.Literal('low'),
          Type.Literal('moderate'),
          Type.Literal('high'),
          Type.Literal('certain'),
        ],
        { description: 'code of the HL7 risk-probability CodeSystem, where one fits' },
      ),
    ),
  },
  strict,
);

const outcome = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$' }),
    label: Type.String({ minLength: 1, maxLength: 120 }),
    coding: Type.Optional(Type.Array(coding, { minItems: 1 })),
    column: Type.Integer({ minimum: 0, description: 'column of the output tensor that holds the probability (0..1)' }),
    horizon: Type.String({ pattern: '^P\\d+[YMWD]$', description: 'ISO 8601 duration from as-of' }),
    bands: Type.Optional(
      Type.Object(
        { citation: text, levels: Type.Array(band, { minItems: 2 }) },
        { ...strict, description: 'present only where bands are published' },
      ),
    ),
  },
  strict,
);

const direction = Type.Union([Type.Literal('rises'), Type.Literal('falls')]);

const elementType = Type.Union([Type.Literal('float32'), Type.Literal('float64')]);

export const manifestSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    id: Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$' }),
    version: Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+$' }),
    title: Type.String({ minLength: 1, maxLength: 120 }),
    publisher: text,
    description: text,
    intendedUse: text,
    cautions: Type.Array(text),
    supersededBy: Type.Optional(Type.Object({ model: text, because: text }, strict)),
    sources: Type.Array(Type.Object({ citation: text, doi: Type.Optional(text) }, strict), { minItems: 1 }),
    coefficientSet: Type.Optional(text),
    validFor: Type.String({
      pattern: '^P\\d+[YMWD]$',
      description: 'how long after as-of a result may be shown as current',
    }),
    tensors: Type.Object(
      {
        input: Type.Object(
          {
            name: text,
            type: elementType,
            columns: Type.Array(
              Type.Object(
                {
                  feature: text,
                  encode: Type.Optional(
                    Type.Record(Type.String(), Type.Number(), {
                      description: 'number per code, for coded features; booleans are 1 and 0',
                    }),
                  ),
                  transform: Type.Optional(transformSchema),
                },
                strict,
              ),
              { minItems: 1 },
            ),
          },
          strict,
        ),
        output: Type.Object({ name: text, type: elementType, columns: Type.Integer({ minimum: 1 }) }, strict),
      },
      strict,
    ),
    outcomes: Type.Array(outcome, { minItems: 1 }),
    explanation: Type.Object(
      {
        method: Type.Literal('occlusion'),
        reference: Type.Record(Type.String(), Type.Union([Type.Number(), Type.Boolean(), Type.String()]), {
          description: 'the reference person: a value for each input feature that may be occluded',
        }),
        because: text,
      },
      strict,
    ),
    directions: Type.Optional(
      Type.Record(Type.String(), Type.Union([direction, Type.Record(Type.String(), direction, { minProperties: 1 })]), {
        description:
          'which way the risk goes when a feature grows (yes above no) and nothing else changes: for every outcome, or by outcome id; `fhirsight lint` checks it',
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
export type Outcome = Manifest['outcomes'][number];
export type Direction = Static<typeof direction>;
export type Band = Static<typeof band>;
