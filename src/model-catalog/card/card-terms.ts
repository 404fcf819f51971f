import Type, { type Static, type TSchema } from 'typebox';
import { strict } from '../schema-terms.ts';

// Words of the schema of a model card. What is not known is said, with the reason: `{ "notAvailable": "why" }`.

export const text = (description: string) => Type.String({ minLength: 1, description });
export const texts = (description: string) => Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description });
export const doi = Type.Optional(
  Type.String({ pattern: '^10\\.\\d{4,9}/\\S+$', description: 'DOI of the publication' }),
);
export const day = (description: string) => Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description });

const notAvailableKey = { notAvailable: text('why it is not known') };
const notAvailable = Type.Object(notAvailableKey, { ...strict, description: 'it is not known' });
export type NotAvailable = Static<typeof notAvailable>;

/** A sentence, or why there is none. */
export function knownText(description: string) {
  // Of one schema, not of two: an error then says what is wrong with what was meant.
  return Type.Unsafe<string | NotAvailable>({
    type: ['string', 'object'],
    minLength: 1,
    ...strict,
    required: ['notAvailable'],
    properties: notAvailableKey,
    description: `${description}; or why it is not known`,
  });
}

/** A structured statement, or why there is none. */
export function known<Value extends TSchema>(value: Value, description: string) {
  return Type.Union([value, notAvailable], { description: `${description}; or why it is not known` });
}

export function isAvailable<Value>(value: Value | NotAvailable | undefined): value is Value {
  return value !== undefined && !(typeof value === 'object' && value !== null && 'notAvailable' in value);
}
