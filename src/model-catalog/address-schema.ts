import Type, { type Static } from 'typebox';
import { label, missingPolicy, range, strict, unit } from './schema-terms.ts';

const keyStep = Type.Union([
  Type.Literal('trim', { description: 'no white space at the ends, and one space for each run of it inside' }),
  Type.Literal('upper-case'),
  Type.Literal('no-spaces'),
  Type.Object(
    {
      shapes: Type.Array(Type.String({ minLength: 1, maxLength: 40 }), {
        minItems: 1,
        uniqueItems: true,
        description: '9 stands for a digit, A for a letter A to Z, anything else for itself',
      }),
    },
    { ...strict, description: 'a text that has none of the shapes is undecodable' },
  ),
  Type.Object(
    { first: Type.Integer({ minimum: 1, maximum: 40, description: 'how many characters are kept' }) },
    { ...strict, description: 'only the first characters' },
  ),
]);

const lookup = Type.Object(
  {
    table: Type.String({
      pattern: '^tables/[A-Za-z0-9][A-Za-z0-9._-]*\\.(csv|json)$',
      description: 'a file of the folder: CSV with a header line, or a JSON object of values by key',
    }),
    columns: Type.Optional(
      Type.Object(
        {
          key: Type.String({ minLength: 1, description: 'name of the column of the keys' }),
          value: Type.String({ minLength: 1, description: 'name of the column of the values' }),
        },
        { ...strict, description: 'the columns of a CSV that are read' },
      ),
    ),
    source: Type.String({ minLength: 1, description: 'where the table is published, in which version' }),
    licence: Type.String({ minLength: 1, description: 'on which terms it may stand in the folder' }),
    country: Type.Optional(
      Type.Object(
        {
          of: Type.Array(Type.String({ minLength: 1 }), {
            minItems: 1,
            uniqueItems: true,
            description: 'texts of Address.country that mean the country of the table, upper case',
          }),
          unstated: Type.Union([Type.Literal('abstain'), Type.Literal('in')], {
            description: 'what becomes of an address that names no country: a reason, or one of that country',
          }),
        },
        { ...strict, description: 'of which country the table is: the same postal code is another place elsewhere' },
      ),
    ),
  },
  { ...strict, description: 'a table that gives the value for the part of the address' },
);

/** What is known from where the patient lived at as-of. */
export const address = Type.Object(
  {
    kind: Type.Literal('address'),
    label,
    part: Type.Enum(['postalCode', 'city', 'district', 'state', 'country'], {
      description: 'which element of Patient.address is read',
    }),
    use: Type.Array(Type.Enum(['home', 'work', 'temp', 'billing', 'unstated']), {
      minItems: 1,
      uniqueItems: true,
      description: 'uses of an address that count; unstated: an address that does not say its use',
    }),
    key: Type.Optional(
      Type.Array(keyStep, {
        minItems: 1,
        description: 'what is done to the text of the part before it is looked up or compared, step by step',
      }),
    ),
    lookup: Type.Optional(lookup),
    vocabulary: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-z-]*$' }),
        Type.Array(Type.String({ minLength: 1 }), { minItems: 1, uniqueItems: true }),
        { ...strict, description: 'for a code: the texts of the part, or of the table, that each value stands for' },
      ),
    ),
    unit: Type.Optional(unit),
    plausible: Type.Optional(range),
    missing: Type.Optional(missingPolicy(Type.Number())),
  },
  {
    ...strict,
    description: 'a part of the address at as-of as a code, or by a table as a code or a number',
  },
);

export type AddressDefinition = Static<typeof address>;
export type KeyStep = Static<typeof keyStep>;
