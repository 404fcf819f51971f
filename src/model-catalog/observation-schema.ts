import Type, { type Static } from 'typebox';
import { analyteNames } from './analytes.ts';
import {
  described,
  duration,
  label,
  missingPolicy,
  range,
  strict,
  timeUnit,
  tokens,
  unit,
  zero,
} from './schema-terms.ts';
import { valueForms } from './value-forms-schema.ts';

const conversion = Type.Object(
  {
    from: Type.String({ minLength: 1, description: 'UCUM unit that UCUM itself cannot convert' }),
    factor: Type.Number({ description: 'value in `unit` = factor · value in `from` + offset' }),
    offset: Type.Optional(Type.Number({ description: 'added after the factor, in `unit`; absent: 0' })),
    source: Type.String({ minLength: 1, description: 'where the factor is published' }),
  },
  strict,
);

/** The limit itself, or half of it, as laboratories use below a limit of detection. */
const belowLimit = Type.Union([Type.Literal('limit'), Type.Literal('half')], {
  description: 'the number as it was given, or half of it',
});
const aboveLimit = Type.Literal('limit', { description: 'the number as it was given' });

/** Only what stands in a relation to another resource counts. */
export const where = Type.Object(
  {
    encounter: Type.Object(
      { class: described(tokens, 'encounter classes that count') },
      { ...strict, description: 'measured in an encounter of one of these classes' },
    ),
    unknown: Type.Union([Type.Literal('leave-out'), Type.Literal('abstain')], {
      description: 'what becomes of a measurement whose encounter is not named or not in the record',
    }),
  },
  { ...strict, description: 'only measurements of some encounters count' },
);

/** Where a value stands in a larger Observation. */
export const component = Type.Object(
  {
    panels: described(tokens, 'codes of Observation.code of the panel'),
    codes: described(tokens, 'codes of the component whose value counts'),
  },
  { ...strict, description: 'the value stands in a component of a panel' },
);

export const together = Type.String({
  pattern: '^[a-z][A-Za-z0-9]{1,63}$',
  description: 'name of a panel of the map: see `panels`',
});

/** How a measured value becomes a number in `unit`. */
export const measuring = {
  conversions: Type.Optional(
    Type.Array(conversion, { description: 'for units that UCUM cannot convert, such as moles to mass' }),
  ),
  analyte: Type.Optional(
    Type.Enum([...analyteNames], { description: 'whose published conversions hold beside `conversions`' }),
  ),
  limits: Type.Optional(
    Type.Partial(Type.Object({ '<': belowLimit, '<=': belowLimit, '>': aboveLimit, '>=': aboveLimit }, strict), {
      ...strict,
      minProperties: 1,
      description: 'what a value stands for that is given as a limit, such as <3; without it such a value is a reason',
    }),
  ),
  ...valueForms,
};

export const observation = Type.Object(
  {
    kind: Type.Literal('observation'),
    label,
    unit,
    codes: Type.Optional(described(tokens, 'codes of Observation.code; `codes` or `component` or both are needed')),
    component: Type.Optional(component),
    status: Type.Optional(
      Type.Array(Type.String(), { minItems: 1, description: 'statuses that count; default final, amended, corrected' }),
    ),
    window: described(duration, 'how long before as-of the value may have been measured'),
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
    anchor: Type.Optional(
      Type.Union([Type.Literal('as-of'), Type.Literal('encounter-start'), Type.Literal('encounter-end')], {
        description:
          'where the window ends: at as-of (default), where the encounter of the call began, or where it ended (as-of while it goes on)',
      }),
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
    together: Type.Optional(together),
    ...measuring,
    plausible: range,
    missing: missingPolicy(Type.Number()),
  },
  { ...strict, description: 'a measured number, or a summary of several' },
);

/** The newest set of measurements that holds one of each. */
export const panel = Type.Union([
  Type.Object(
    {
      by: Type.Literal('time', { description: 'what makes them belong together' }),
      maxSkew: described(duration, 'largest distance between the earliest and the latest of them'),
    },
    { ...strict, description: 'measured within so long of each other' },
  ),
  Type.Object(
    { by: Type.Literal('specimen', { description: 'what makes them belong together' }) },
    { ...strict, description: 'measured in one specimen' },
  ),
]);

/** Unit texts of a site that count where a value has no UCUM code. */
export interface LocalUnits {
  /** Which site file says so, for people. */
  readonly site: string;
  /** UCUM by unit text, compared exactly. */
  readonly units: Readonly<Record<string, string>>;
}

export type ObservationDefinition = Static<typeof observation> & {
  /** Added at load by the site file, never in the map. */
  readonly localUnits?: LocalUnits;
};
export type PanelDefinition = Static<typeof panel>;
export type WhereDefinition = Static<typeof where>;
