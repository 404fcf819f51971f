import Type, { type TSchema } from 'typebox';

// Words that the schemas of a model folder share. The descriptions stand in the published schemas.

/** The same schema with what it means at one place. */
export function described<S extends TSchema>(schema: S, description: string): S {
  return { ...schema, description };
}

export const strict = { additionalProperties: false } as const;
export const token = Type.String({
  pattern: '^[^|\\s]+\\|[^|\\s]+$',
  description: '`system|code`, compared exactly, system included',
});
export const tokens = Type.Array(token, {
  minItems: 1,
  uniqueItems: true,
  description: '`system|code` tokens; a resource counts if any of its codings is one of them, system included',
});
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

/** What becomes of a feature that is missing. */
export function missingPolicy<Value extends TSchema>(value: Value) {
  const rule = Type.Object(
    {
      because: Type.Array(Type.String(), {
        minItems: 1,
        uniqueItems: true,
        description: 'reasons for which it is taken',
      }),
      value: described(value, 'what is taken, in the unit of the feature'),
      source: Type.String({
        minLength: 1,
        description: 'where the value comes from: median of the training set, a publication',
      }),
    },
    strict,
  );
  return Type.Union(
    [
      Type.Literal('abstain'),
      Type.Object(
        { impute: Type.Array(rule, { minItems: 1, description: 'one rule for each group of reasons' }) },
        { ...strict, description: 'what stands for it, by reason; for every other reason the model abstains' },
      ),
    ],
    { description: 'what becomes of the feature when it is missing: the model abstains, or a value is imputed' },
  );
}
