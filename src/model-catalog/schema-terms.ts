import Type, { type Static, type TSchema } from 'typebox';

// Words that the schemas of a model folder share. The descriptions stand in the published schemas.

/** The same schema with what it means at one place. */
export function described<S extends TSchema>(schema: S, description: string): S {
  return { ...schema, description };
}

export const strict = { additionalProperties: false } as const;
/** `system|code`, each half without a `|` or a space. */
export const tokenPattern = '^[^|\\s]+\\|[^|\\s]+$';
export const token = Type.String({
  pattern: tokenPattern,
  description: '`system|code`, compared exactly, system included',
});
export const conceptName = Type.String({
  pattern: '^[a-z][A-Za-z0-9]{1,63}$',
  description: 'lower camel case, a name that a site file can know the concept by',
});
const valueSetName = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description: 'a value set of the folder: `statins` is valueSets/statins.json',
});

/**
 * A list of codes as a file writes it: what it names is put in its place at load (see resolve-feature-map.ts), so that
 * everybody else sees `system|code` only.
 */
function codeList(names: Readonly<Record<string, TSchema>>, minItems: number, description: string) {
  const entry = {
    // Of one schema, not of several: an error then says what is wrong with what was meant.
    type: ['string', 'object'],
    pattern: tokenPattern,
    ...strict,
    minProperties: 1,
    maxProperties: 1,
    properties: names,
    description: `\`system|code\`, or by name: ${Object.keys(names).join(' or ')}`,
  };
  return Type.Unsafe<string[]>({ type: 'array', items: entry, minItems, uniqueItems: true, description });
}

export const tokens = codeList(
  { valueSet: valueSetName, concept: conceptName },
  1,
  '`system|code`, value sets and concepts; a resource counts if any of its codings is one of them, system included',
);
/** A list that may be empty, where emptiness has a meaning. */
export const tokensOrNone = codeList(
  { valueSet: valueSetName, concept: conceptName },
  0,
  '`system|code`, value sets and concepts',
);
export const conceptCodes = codeList(
  { valueSet: valueSetName },
  0,
  '`system|code` and value sets; none where only a site file can know them',
);
export const schemaLink = Type.Optional(
  Type.String({ description: 'address of the JSON Schema of this file, for editors; the server does not read it' }),
);
export const duration = Type.String({
  pattern: '^P(\\d+Y)?(\\d+M)?(\\d+W)?(\\d+D)?(T(\\d+H)?(\\d+M)?)?$',
  minLength: 3,
  description: 'ISO 8601 duration',
});
export const featureName = Type.String({
  pattern: '^[a-z][A-Za-z0-9]{1,63}$',
  description: 'lower camel case, a name a clinician reads',
});
export const label = Type.String({ minLength: 1, maxLength: 80, description: 'what people see' });
export const unit = Type.String({ minLength: 1, description: 'UCUM; a value in another unit is converted or refused' });
export const range = Type.Tuple([Type.Number(), Type.Number()], {
  description: 'smallest and largest plausible value, inclusive, in `unit`',
});

export const timeUnit = Type.Union(
  [Type.Literal('d'), Type.Literal('h'), Type.Literal('wk'), Type.Literal('mo'), Type.Literal('a')],
  { description: 'UCUM unit of time; months and years are UCUM means' },
);

export const zero = Type.Object(
  {
    assume: Type.Literal(0, { description: 'none found is read as 0' }),
    encounterWithin: described(duration, 'an encounter must lie within this time before as-of'),
  },
  { ...strict, description: 'for count: when none found may be read as 0; without it none is a reason' },
);

/** When "nothing found" may be read as "no": the search was complete, every candidate was understood, and the record is alive. */
export const absence = Type.Object(
  {
    assume: Type.Literal(false, { description: 'none found is read as no' }),
    encounterWithin: described(duration, 'an encounter must lie within this time before as-of'),
  },
  {
    ...strict,
    description:
      'value taken when the record holds no match, on condition that an encounter lies within this time before as-of',
  },
);

export const suspectText = Type.Array(Type.String({ minLength: 2 }), {
  description: 'an unmatched candidate whose text holds one of these makes absence undecidable',
});

const because = Type.Array(Type.String(), {
  minItems: 1,
  uniqueItems: true,
  description: 'reasons for which it is taken; of a feature made of others, the reasons of these',
});
const source = Type.String({
  minLength: 1,
  description: 'where this comes from: median of the training set, a publication',
});
const when = Type.Object(
  {
    feature: featureName,
    equals: Type.Union([Type.String(), Type.Boolean()], { description: 'a code of its vocabulary, or yes or no' }),
  },
  {
    ...strict,
    description: 'the rule is for subjects of whom this is known; where it is not known, nothing is imputed',
  },
);

/** What becomes of a feature that is missing. */
export function missingPolicy<Value extends TSchema>(value: Value) {
  const taken = described(value, 'what is taken, in the unit of the feature');
  const rule = Type.Object({ because, when: Type.Optional(when), value: taken, source }, strict);
  return Type.Union(
    [
      Type.Literal('abstain'),
      Type.Object(
        {
          impute: Type.Optional(
            Type.Array(rule, {
              minItems: 1,
              description: 'what stands for it; of the rules for a reason the first that holds counts',
            }),
          ),
          indicate: Type.Optional(
            Type.Object(
              { because, value: taken, source },
              {
                ...strict,
                description:
                  'the model was trained with an indicator of absence: that column is 1, and the others take this value',
              },
            ),
          ),
          nan: Type.Optional(
            Type.Object({ because, source }, { ...strict, description: 'the model was trained with NaN for it' }),
          ),
        },
        { ...strict, minProperties: 1, description: 'what is taken, by reason; for every other the model abstains' },
      ),
    ],
    { description: 'what becomes of the feature when it is missing' },
  );
}

const policy = missingPolicy(Type.Union([Type.Number(), Type.Boolean(), Type.String()]));
export type MissingPolicy = Static<typeof policy>;
