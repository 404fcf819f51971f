import Type from 'typebox';

// Words that the schemas of a model folder share.

export const strict = { additionalProperties: false } as const;
export const token = Type.String({
  pattern: '^[^|\\s]+\\|[^|\\s]+$',
  description: '`system|code`, compared exactly, system included',
});
export const tokens = Type.Array(token, { minItems: 1, uniqueItems: true });
export const duration = Type.String({
  pattern: '^P(\\d+Y)?(\\d+M)?(\\d+W)?(\\d+D)?(T(\\d+H)?(\\d+M)?)?$',
  minLength: 3,
  description: 'ISO 8601 duration',
});
export const featureName = Type.String({
  pattern: '^[a-z][A-Za-z0-9]{1,63}$',
  description: 'lower camel case, a name a clinician reads',
});
export const label = Type.String({ minLength: 1, maxLength: 80 });
export const unit = Type.String({ minLength: 1, description: 'UCUM; a value in another unit is converted or refused' });
export const range = Type.Tuple([Type.Number(), Type.Number()], {
  description: 'smallest and largest plausible value, inclusive, in `unit`',
});
