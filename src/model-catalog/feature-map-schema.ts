import Type, { type Static } from 'typebox';

/**
 * The language of `feature-map.json`, version 1. One entry per feature says where in the record it comes
 * from, in which unit, over which window, which of several values counts, and what absence means.
 */

const strict = { additionalProperties: false } as const;
const token = Type.String({
  pattern: '^[^|\\s]+\\|[^|\\s]+$',
  description: '`system|code`, compared exactly, system included',
});
const tokens = Type.Array(token, { minItems: 1, uniqueItems: true });
const duration = Type.String({
  pattern: '^P(\\d+Y)?(\\d+M)?(\\d+W)?(\\d+D)?(T(\\d+H)?(\\d+M)?)?$',
  minLength: 3,
  description: 'ISO 8601 duration',
});
const featureName = Type.String({
  pattern: '^[a-z][A-Za-z0-9]{1,63}$',
  description: 'lower camel case, a name a clinician reads',
});
const label = Type.String({ minLength: 1, maxLength: 80 });
const unit = Type.String({ minLength: 1, description: 'UCUM; a value in another unit is converted or refused' });
const range = Type.Tuple([Type.Number(), Type.Number()], {
  description: 'smallest and largest plausible value, inclusive, in `unit`',
});

const conversion = Type.Object(
  {
    from: Type.String({ minLength: 1, description: 'UCUM unit that UCUM itself cannot convert' }),
    factor: Type.Number({ description: 'value in `unit` = factor · value in `from` + offset' }),
    offset: Type.Optional(Type.Number()),
    source: Type.String({ minLength: 1, description: 'where the factor is published' }),
  },
  strict,
);

/** When "nothing found" may be read as "no": the search was complete, every candidate was understood, and the record is alive. */
const absence = Type.Object(
  {
    assume: Type.Literal(false),
    encounterWithin: duration,
  },
  {
    ...strict,
    description:
      'value taken when the record holds no match, on condition that an encounter lies within this time before as-of',
  },
);

const demographics = Type.Object(
  {
    kind: Type.Literal('demographics'),
    label,
    element: Type.Union([Type.Literal('age'), Type.Literal('sex'), Type.Literal('race')]),
    unit: Type.Optional(unit),
    vocabulary: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-z-]*$' }),
        Type.Array(Type.String({ minLength: 1 }), { uniqueItems: true }),
        {
          description:
            'for sex: administrative genders per value; for race: `system|code` of US Core ombCategory per value (empty: every other single or multiple category)',
        },
      ),
    ),
    plausible: Type.Optional(range),
  },
  strict,
);

const observation = Type.Object(
  {
    kind: Type.Literal('observation'),
    label,
    unit,
    codes: Type.Optional(tokens),
    component: Type.Optional(Type.Object({ panels: tokens, codes: tokens }, strict)),
    status: Type.Optional(
      Type.Array(Type.String(), { minItems: 1, description: 'statuses that count; default final, amended, corrected' }),
    ),
    window: duration,
    pick: Type.Literal('latest'),
    conversions: Type.Optional(Type.Array(conversion)),
    plausible: range,
    missing: Type.Literal('abstain'),
  },
  strict,
);

const answer = Type.Object(
  {
    kind: Type.Literal('answer'),
    label,
    codes: tokens,
    yes: tokens,
    no: tokens,
    status: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
    window: duration,
    pick: Type.Literal('latest'),
    missing: Type.Literal('abstain'),
  },
  { ...strict, description: 'a coded answer read as yes or no; an answer in neither list is a reason, not a no' },
);

const condition = Type.Object(
  {
    kind: Type.Literal('condition'),
    label,
    codes: tokens,
    when: Type.Union([Type.Literal('active'), Type.Literal('ever')], {
      description: 'active: not abated before as-of; ever: onset at or before as-of',
    }),
    suspectText: Type.Optional(
      Type.Array(Type.String({ minLength: 2 }), {
        description: 'an unmatched candidate whose text holds one of these makes absence undecidable',
      }),
    ),
    absent: absence,
  },
  strict,
);

const medication = Type.Object(
  {
    kind: Type.Literal('medication'),
    label,
    codes: tokens,
    status: Type.Array(Type.String(), { minItems: 1, description: 'MedicationRequest statuses that count' }),
    suspectText: Type.Optional(Type.Array(Type.String({ minLength: 2 }))),
    absent: absence,
  },
  strict,
);

/**
 * Arithmetic in prefix form: a number, a feature name, or [operator, …operands]. Operators: + - * / pow min max ln exp,
 * and ["if-equal", feature, code, then, else] for a coded feature.
 */
const expression = Type.Unsafe<Expression>({
  anyOf: [{ type: 'number' }, { type: 'string' }, { type: 'array', minItems: 2 }],
});

const derived = Type.Object(
  {
    kind: Type.Literal('derived'),
    label,
    unit,
    expression,
    source: Type.String({ minLength: 1, description: 'where the formula is published' }),
    plausible: Type.Optional(range),
  },
  strict,
);

const kinds = [demographics, observation, answer, condition, medication, derived] as const;
// oneOf with a discriminator, so that an error names the key of the kind that was meant, not every other kind's.
const feature = Type.Unsafe<Static<(typeof kinds)[number]>>({
  type: 'object',
  discriminator: { propertyName: 'kind' },
  properties: { kind: { type: 'string' } },
  required: ['kind'],
  oneOf: [...kinds],
});

const onlyFor = Type.Optional(
  Type.Array(Type.String(), { minItems: 1, description: 'outcome ids this rule holds for; absent: all' }),
);

const population = Type.Object(
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
  },
  {
    ...strict,
    description: 'who the model may speak about; deceased, inactive, merged and opted-out subjects are always excluded',
  },
);

export const featureMapSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    language: Type.Literal(1),
    features: Type.Record(featureName, feature),
    population,
  },
  strict,
);

export type FeatureMap = Static<typeof featureMapSchema>;
export type FeatureDefinition = Static<typeof feature>;
export type DemographicsDefinition = Static<typeof demographics>;
export type ObservationDefinition = Static<typeof observation>;
export type AnswerDefinition = Static<typeof answer>;
export type ConditionDefinition = Static<typeof condition>;
export type MedicationDefinition = Static<typeof medication>;
export type DerivedDefinition = Static<typeof derived>;
export type Expression = number | string | readonly Expression[];
