import Type, { type Static } from 'typebox';
import { analyteNames } from './analytes.ts';
import { duration, label, missingPolicy, range, strict, tokens, unit } from './schema-terms.ts';

const conversion = Type.Object(
  {
    from: Type.String({ minLength: 1, description: 'UCUM unit that UCUM itself cannot convert' }),
    factor: Type.Number({ description: 'value in `unit` = factor · value in `from` + offset' }),
    offset: Type.Optional(Type.Number()),
    source: Type.String({ minLength: 1, description: 'where the factor is published' }),
  },
  strict,
);

export const timeUnit = Type.Union(
  [Type.Literal('d'), Type.Literal('h'), Type.Literal('wk'), Type.Literal('mo'), Type.Literal('a')],
  { description: 'UCUM unit of time; months and years are UCUM means' },
);

export const zero = Type.Object(
  { assume: Type.Literal(0), encounterWithin: duration },
  { ...strict, description: 'for count: when none found may be read as 0; without it none is a reason' },
);

/** The limit itself, or half of it, as laboratories use below a limit of detection. */
const belowLimit = Type.Union([Type.Literal('limit'), Type.Literal('half')]);

/** Only what stands in a relation to another resource counts. */
export const where = Type.Object(
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

export const observation = Type.Object(
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
    per: Type.Optional(timeUnit),
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
    absent: Type.Optional(zero),
    where: Type.Optional(where),
    together: Type.Optional(
      Type.String({ pattern: '^[a-z][A-Za-z0-9]{1,63}$', description: 'name of a panel of the map: see `panels`' }),
    ),
    conversions: Type.Optional(Type.Array(conversion)),
    analyte: Type.Optional(
      Type.Enum([...analyteNames], { description: 'whose published conversions hold beside `conversions`' }),
    ),
    limits: Type.Optional(
      Type.Partial(
        Type.Object(
          { '<': belowLimit, '<=': belowLimit, '>': Type.Literal('limit'), '>=': Type.Literal('limit') },
          strict,
        ),
        {
          ...strict,
          minProperties: 1,
          description:
            'what a value stands for that is given as a limit, such as <3; without it such a value is a reason',
        },
      ),
    ),
    plausible: range,
    missing: missingPolicy(Type.Number()),
  },
  strict,
);

/** The newest set of measurements that holds one of each. */
export const panel = Type.Union([
  Type.Object(
    { by: Type.Literal('time'), maxSkew: duration },
    { ...strict, description: 'measured within so long of each other' },
  ),
  Type.Object({ by: Type.Literal('specimen') }, { ...strict, description: 'measured in one specimen' }),
]);

export type ObservationDefinition = Static<typeof observation>;
export type PanelDefinition = Static<typeof panel>;
export type WhereDefinition = Static<typeof where>;
