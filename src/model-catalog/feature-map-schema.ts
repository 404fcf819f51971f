import Type, { type Static } from 'typebox';
import { analyteNames } from './analytes.ts';
import { populationSchema } from './population-schema.ts';
import { duration, featureName, label, range, strict, token, tokens, unit } from './schema-terms.ts';

/**
 * The language of `feature-map.json`, version 1. One entry per feature says where in the record it comes
 * from, in which unit, over which window, which of several values counts, and what absence means.
 */

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

/** The limit itself, or half of it, as laboratories use below a limit of detection. */
const limitValue = Type.Union([Type.Literal('limit'), Type.Literal('half')]);

/** Only what stands in a relation to another resource counts. */
const where = Type.Object(
  {
    encounter: Type.Object(
      { class: tokens },
      { ...strict, description: 'measured in an encounter of one of these classes' },
    ),
    unknown: Type.Union([Type.Literal('leave-out'), Type.Literal('abstain')], {
      description: 'what becomes of a measurement whose encounter is not named or not in the record',
    }),
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
    pick: Type.Union(
      [
        Type.Literal('latest'),
        Type.Literal('earliest'),
        Type.Literal('min'),
        Type.Literal('max'),
        Type.Literal('mean'),
        Type.Literal('median'),
        Type.Literal('sum'),
        Type.Literal('count'),
        Type.Literal('slope'),
        Type.Literal('time-since'),
      ],
      { description: 'which value of the window counts, or what is made of all of them' },
    ),
    per: Type.Optional(
      Type.Union([Type.Literal('d'), Type.Literal('h'), Type.Literal('wk'), Type.Literal('mo'), Type.Literal('a')], {
        description:
          'UCUM unit of time: of `slope` (change for each), and of `time-since` (counted in); months and years are UCUM means',
      }),
    ),
    atLeast: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        description: 'so many measurements are needed; for slope two at least',
      }),
    ),
    distinctBy: Type.Optional(
      Type.Union([Type.Literal('day'), Type.Literal('encounter')], {
        description: 'for count: how many days (of the site) or encounters have one, instead of how many there are',
      }),
    ),
    absent: Type.Optional(
      Type.Object(
        { assume: Type.Literal(0), encounterWithin: duration },
        { ...strict, description: 'for count: when none found may be read as 0; without it none is a reason' },
      ),
    ),
    where: Type.Optional(where),
    together: Type.Optional(
      Type.String({ pattern: '^[a-z][A-Za-z0-9]{1,63}$', description: 'name of a panel of the map: see `panels`' }),
    ),
    conversions: Type.Optional(Type.Array(conversion)),
    analyte: Type.Optional(
      Type.Enum([...analyteNames], { description: 'whose published conversions hold beside `conversions`' }),
    ),
    limits: Type.Optional(
      Type.Partial(Type.Object({ '<': limitValue, '<=': limitValue, '>': limitValue, '>=': limitValue }, strict), {
        ...strict,
        minProperties: 1,
        description:
          'what a value stands for that is given as a limit, such as <3; without it such a value is a reason',
      }),
    ),
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
    ingredients: Type.Optional(
      Type.Array(token, {
        minItems: 1,
        uniqueItems: true,
        description:
          'an ordered Medication that holds one of these as an active ingredient counts, whatever its own code',
      }),
    ),
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

const firstOf = Type.Object(
  {
    kind: Type.Literal('first-of'),
    label,
    of: Type.Array(featureName, {
      minItems: 2,
      uniqueItems: true,
      description: 'features of one kind and unit, in order',
    }),
    unit: Type.Optional(unit),
    passOver: Type.Array(Type.String(), {
      minItems: 1,
      uniqueItems: true,
      description: 'reasons for which the next is asked; any other reason is the reason of this feature',
    }),
  },
  {
    ...strict,
    description: 'the first of several features that has a value; the others say why they were passed over',
  },
);

/** The newest set of measurements that holds one of each. */
const panel = Type.Union([
  Type.Object(
    { by: Type.Literal('time'), maxSkew: duration },
    { ...strict, description: 'measured within so long of each other' },
  ),
  Type.Object({ by: Type.Literal('specimen') }, { ...strict, description: 'measured in one specimen' }),
]);

const kinds = [demographics, observation, answer, condition, medication, derived, firstOf] as const;
// oneOf with a discriminator, so that an error names the key of the kind that was meant, not every other kind's.
const feature = Type.Unsafe<Static<(typeof kinds)[number]>>({
  type: 'object',
  discriminator: { propertyName: 'kind' },
  properties: { kind: { type: 'string' } },
  required: ['kind'],
  oneOf: [...kinds],
});

export const featureMapSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    language: Type.Literal(1),
    features: Type.Record(featureName, feature),
    panels: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9]{1,63}$' }), panel, {
        description: 'which measurements belong together; features name theirs by `together`',
      }),
    ),
    population: populationSchema,
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
export type FirstOfDefinition = Static<typeof firstOf>;
export type PanelDefinition = Static<typeof panel>;
export type WhereDefinition = Static<typeof where>;
export type Expression = number | string | readonly Expression[];
