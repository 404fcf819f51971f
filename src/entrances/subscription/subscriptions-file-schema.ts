import Type, { type Static } from 'typebox';

const strict = { additionalProperties: false } as const;

const subscription = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9-]{1,40}$', description: 'the end of its address' }),
    criteria: Type.String({
      pattern: '^ImagingStudy(\\?\\S{0,1000})?$',
      default: 'ImagingStudy',
      description: 'the search that a study has to fit',
    }),
    models: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
      minItems: 1,
      maxItems: 20,
      uniqueItems: true,
      description: 'ids of models that read images',
    }),
    header: Type.String({
      pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$",
      default: 'Authorization',
      description:
        'the header with which the FHIR server shows the secret; in Authorization it may stand behind Bearer',
    }),
    secretFile: Type.Optional(
      Type.String({ minLength: 1, description: 'holds the secret, of at least 16 characters' }),
    ),
    secretVariable: Type.Optional(
      Type.String({ pattern: '^[A-Z][A-Z0-9_]{0,99}$', description: 'environment variable with the secret' }),
    ),
    quietPeriodSeconds: Type.Integer({
      minimum: 0,
      maximum: 86_400,
      default: 120,
      description: 'that passes after the last notice about a study before it is read',
    }),
    checkEveryMinutes: Type.Integer({
      minimum: 1,
      maximum: 1_440,
      default: 15,
      description: 'how often the FHIR server is asked what has changed, whatever it tells',
    }),
    writeBack: Type.Boolean({ default: true, description: 'whether results are stored' }),
  },
  strict,
);

/** SUBSCRIPTIONS_FILE: which studies a FHIR server may tell of, and what is done about them. */
export const subscriptionsFileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    subscriptions: Type.Array(subscription, { minItems: 1, maxItems: 100 }),
  },
  strict,
);

/** What SUBSCRIPTIONS_FILE says, with its defaults. */
export type SubscriptionsFile = Readonly<Static<typeof subscriptionsFileSchema>>;
