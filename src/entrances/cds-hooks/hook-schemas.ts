import Type, { type Static, type TSchema } from 'typebox';
import type { ContextFieldKind, HookVersion } from '../../model-catalog/hook-library.ts';

/**
 * The form of a CDS Hooks 2.0.1 request. What the specification does not name is tolerated; what it names is checked, and
 * never null or empty (CDS-5).
 * @see https://cds-hooks.hl7.org/2.0/
 */

/** Entries of a list that a call may hold. */
const longestList = 1_000;

const text = Type.String({ minLength: 1 });
/** What is kept: a database takes no NUL, and half a character would come back as another one. */
const word = Type.String({
  minLength: 1,
  maxLength: 1_000,
  pattern: '^[^\\p{Cc}\\p{Cs}]+$',
  description: 'text without control characters and halves of characters',
});
const prose = Type.String({
  minLength: 1,
  maxLength: 4_000,
  pattern: '^(?:[^\\p{Cc}\\p{Cs}]|[\\t\\n\\r])+$',
  description: 'text without control characters (but tabs and line breaks) and halves of characters',
});
const id = Type.String({ pattern: '^[A-Za-z0-9\\-.]{1,64}$', description: 'a bare FHIR id' });
const reference = Type.String({
  pattern: '^[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\\-.]{1,64}$',
  description: 'Type/id',
});
const user = Type.String({
  pattern: '^(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9\\-.]{1,64}$',
  description: 'Practitioner/id, PractitionerRole/id, Patient/id or RelatedPerson/id',
});
export const uuid = Type.String({
  pattern: '^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$',
  description: 'a bare UUID such as d1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
});

const authorization = Type.Object({
  access_token: Type.String({ pattern: '^[\\x21-\\x7e]+$', description: 'a token of visible ASCII characters' }),
  token_type: Type.String({ pattern: '^[Bb][Ee][Aa][Rr][Ee][Rr]$', description: 'Bearer' }),
  expires_in: Type.Integer({ minimum: 0, maximum: 1e9 }),
  scope: text,
  subject: text,
  patient: Type.Optional(id),
});

/** Characters of a FHIR base: it is part of keys of the database, which hold no more than some thousand bytes. */
export const longestBase = 512;

/** Every hook: what it is, where it comes from, what it brings along. `context` is checked by its hook. */
export const hookRequestSchema = Type.Object({
  hook: text,
  hookInstance: uuid,
  fhirServer: Type.Optional(Type.String({ minLength: 1, maxLength: longestBase })),
  fhirAuthorization: Type.Optional(authorization),
  context: Type.Object({}),
  prefetch: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  extension: Type.Optional(Type.Object({})),
});
export type HookRequestBody = Static<typeof hookRequestSchema>;

const listed = { minItems: 1, maxItems: longestList };
const resource = (type?: string): TSchema =>
  type === undefined ? Type.Object({ resourceType: text }) : Type.Object({ resourceType: Type.Literal(type) });

/** What each kind of field of a context looks like (CDS-70). */
const kinds: Readonly<Record<ContextFieldKind, (type?: string) => TSchema>> = {
  id: () => id,
  user: () => user,
  text: () => text,
  reference: () => reference,
  references: () => Type.Array(reference, listed),
  resource,
  // Of the object alone: version 1.0 of order-dispatch has Tasks of which a client may say less.
  resources: () => Type.Array(Type.Object({}), listed),
  bundle: () => resource('Bundle'),
};

/** What the path uses of every context, also of a hook that does not define it: never unchecked. */
const usedAnywhere = { userId: Type.Optional(user), encounterId: Type.Optional(id) } as const;

/** The form of one version of a hook's context. */
export function contextSchema({ context }: HookVersion): TSchema {
  const fields = Object.entries(context).map(([name, { is, optional, type }]) => {
    const schema = kinds[is](type);
    return [name, optional === true ? Type.Optional(schema) : schema] as const;
  });
  return Type.Object({ ...usedAnywhere, ...Object.fromEntries(fields) });
}

const coding = Type.Object({ system: word, code: word, display: Type.Optional(word) });
const overrideReason = Type.Object(
  { reason: Type.Optional(coding), userComment: Type.Optional(prose) },
  { minProperties: 1 },
);

/** Feedback on cards (CDS-50 to CDS-52). */
export const feedbackSchema = Type.Object({
  feedback: Type.Array(
    Type.Object({
      card: uuid,
      outcome: Type.Union([Type.Literal('accepted'), Type.Literal('overridden')]),
      acceptedSuggestions: Type.Optional(Type.Array(Type.Object({ id: uuid }), listed)),
      overrideReason: Type.Optional(overrideReason),
      outcomeTimestamp: Type.String({ minLength: 1, maxLength: 64 }),
    }),
    listed,
  ),
});
export type FeedbackBody = Static<typeof feedbackSchema>;
