import Type, { type Static } from 'typebox';
import { cdsHooksSchema } from './cds-hooks-schema.ts';
import { explanationSchema } from './explanation-schema.ts';
import { outcomeSchema } from './outcome-schema.ts';
import { reportSchema } from './report-schema.ts';
import { schemaLink, strict } from './schema-terms.ts';
import { tensorsSchema } from './tensor-schema.ts';

/** The form of `manifest.json`: identity, intended use, tensors, outcomes, bands, reference person, CDS Hooks, checksums. */

const text = (description: string) => Type.String({ minLength: 1, description });
const title = (description: string) => Type.String({ minLength: 1, maxLength: 120, description });
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

const direction = Type.Union([Type.Literal('rises'), Type.Literal('falls')]);

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
    cost: Type.Optional(
      Type.Object(
        {
          seconds: Type.Number({
            exclusiveMinimum: 0,
            maximum: 86_400,
            description:
              'how long one prediction usually takes, images included; above ASYNC_ABOVE_SECONDS $predict is answered later',
          }),
        },
        { ...strict, description: 'what one prediction costs; for models that take long, as those of images may' },
      ),
    ),
    tensors: tensorsSchema,
    outcomes: Type.Array(outcomeSchema, {
      minItems: 1,
      description:
        'what is predicted: probabilities only, or none; the first that is none becomes the value of an Observation, the others its components. With `report` each becomes a resource of its own, of any kind',
    }),
    explanation: explanationSchema,
    directions: Type.Optional(
      Type.Record(Type.String(), Type.Union([direction, Type.Record(Type.String(), direction, { minProperties: 1 })]), {
        description:
          'which way the score goes when a feature grows (yes above no) and nothing else changes: for every outcome, or by outcome id; `fhirsight lint` checks it',
      }),
    ),
    report: Type.Optional(reportSchema),
    cdsHooks: Type.Optional(cdsHooksSchema),
    checksums: Type.Record(Type.String(), sha256, {
      description: 'SHA-256 of every other file of the folder that the server reads',
    }),
  },
  strict,
);

export type Manifest = Static<typeof manifestSchema>;
export type Direction = Static<typeof direction>;
