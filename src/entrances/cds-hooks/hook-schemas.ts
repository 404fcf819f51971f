import Type, { type Static } from 'typebox';
import type { HookName } from '../../model-catalog/cds-hooks-schema.ts';

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
const bundle = Type.Object({ resourceType: Type.Literal('Bundle') });
const subject = { patientId: id, encounterId: Type.Optional(id) };
const byUser = { userId: user, ...subject };
const atEncounter = Type.Object({ ...byUser, encounterId: id });

/** What every context may say. */
const anyContext = Type.Object({ ...subject, userId: Type.Optional(user) });
export type HookContext = Static<typeof anyContext>;

/** The context of each hook (CDS-70, CDS-71). */
export const contextSchemas = {
  'patient-view': Type.Object(byUser),
  'encounter-start': atEncounter,
  'encounter-discharge': atEncounter,
  'order-select': Type.Object({ ...byUser, selections: Type.Array(reference, listed), draftOrders: bundle }),
  'order-sign': Type.Object({ ...byUser, draftOrders: bundle }),
  // 1.1 names several orders, 1.0 one.
  'order-dispatch': Type.Object(
    {
      ...subject,
      performer: reference,
      dispatchedOrders: Type.Optional(Type.Array(reference, listed)),
      order: Type.Optional(reference),
      fulfillmentTasks: Type.Optional(Type.Array(Type.Object({}), listed)),
      task: Type.Optional(Type.Object({})),
    },
    { anyOf: [{ required: ['dispatchedOrders'] }, { required: ['order'] }] },
  ),
  'appointment-book': Type.Object({ ...byUser, appointments: bundle }),
  'allergyintolerance-create': Type.Object({
    ...byUser,
    allergyIntolerance: Type.Object({ resourceType: Type.Literal('AllergyIntolerance') }),
  }),
  'problem-list-item-create': Type.Object({ ...byUser, conditions: bundle }),
  'medication-refill': Type.Object({ ...subject, userId: Type.Optional(user), medications: bundle }),
} satisfies Record<HookName, unknown>;

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
