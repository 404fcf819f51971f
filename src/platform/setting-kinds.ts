import Type, { type TSchema } from 'typebox';

/** What is written beside each setting, here and in `.env.example`. */
export interface SettingNotes {
  readonly description: string;
  /** What is allowed, in words; closes every message about a bad value. */
  readonly allowed: string;
  readonly unit?: string;
  /** The value may hold a password and is never shown. */
  readonly secret?: true;
}

export const text = (notes: SettingNotes & { default?: string; format?: string; pattern?: string }) =>
  Type.String({ minLength: 1, ...notes });
export const whole = (notes: SettingNotes & { default: number; minimum: number; maximum: number }) =>
  Type.Integer({ ...notes });
export const optional = <S extends TSchema>(schema: S) => Type.Optional(schema);

/** How long rows are kept; where it is not set, for ever. EU-2: logs at least six months. */
export function keptDays(what: string, minimum: number, otherwise = 'for ever') {
  return Type.Integer({
    description: `How long ${what} are kept; ${otherwise} where it is not set.`,
    unit: 'days',
    allowed: `a whole number from ${minimum} to 36500`,
    minimum,
    maximum: 36_500,
  });
}

export const milliseconds = {
  unit: 'milliseconds',
  minimum: 100,
  maximum: 600_000,
  allowed: 'a whole number from 100 to 600000',
};
