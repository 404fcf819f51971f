import Type, { type Static } from 'typebox';
import {
  cardsSchema,
  linksSchema,
  overrideReasonsSchema,
  repeatsSchema,
  suggestionsSchema,
  systemActionsSchema,
} from './cds-card-schema.ts';
import { contextFieldKinds, customHookPattern, hookNames } from './hook-library.ts';
import { strict } from './schema-terms.ts';

/** The section `cdsHooks` of `manifest.json`: at which moments the model speaks in an EHR, and what is shown then. */

const text = (description: string) => Type.String({ minLength: 1, description });

const contextField = Type.Object(
  {
    is: Type.Enum([...contextFieldKinds], {
      description: 'what the field holds: a bare id, a user or other reference `Type/id`, text, resources or a Bundle',
    }),
    optional: Type.Optional(Type.Boolean({ description: 'the field may be left out; absent: it may not' })),
    type: Type.Optional(
      Type.String({ pattern: '^[A-Z][A-Za-z]{1,63}$', description: 'of a resource or resources: their type' }),
    ),
    proposed: Type.Optional(
      Type.Boolean({ description: 'its resources are what the user is about to do or record: drafts, never facts' }),
    ),
    focus: Type.Optional(Type.Boolean({ description: 'what it names or holds is what a prediction can be about' })),
    selects: Type.Optional(text('of references: the field of which they pick what the call is about')),
  },
  { ...strict, description: 'one field of the context' },
);

const cdsHooksService = Type.Object(
  {
    id: Type.Optional(
      Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$', description: 'last part of the address; absent: the model id' }),
    ),
    hook: Type.String({
      pattern: `^(${hookNames.join('|')})$|${customHookPattern}`,
      description:
        'moment of the workflow: a hook of the CDS Hooks library, or one of your own with the reverse of a domain before its name, such as com.example.sepsis-screen',
    }),
    hookVersion: Type.Optional(
      Type.String({
        pattern: '^\\d+(\\.\\d+){1,2}$',
        description: 'the one version of the hook that the service takes; absent: every one that is known',
      }),
    ),
    context: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9]{1,63}$' }), contextField, {
        description: 'the fields of the context, of a hook of your own alone; patientId is one of them',
      }),
    ),
    title: Type.String({ minLength: 1, maxLength: 120, description: 'name of the service' }),
    description: text('what the service shows, and about whom'),
    prefetch: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z][A-Za-z]{1,63}$' }), Type.Literal('client-only'), {
        description:
          'prefetch keys that only the client may answer: what it leaves out is never asked of its FHIR server (412)',
      }),
    ),
    usageRequirements: Type.Optional(text('what the client must provide')),
    outcome: Type.String({ description: 'id of the outcome that the card is about' }),
    contributions: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10,
        description: 'how many contributions a card shows; absent: 3; 0: none are computed',
      }),
    ),
    reuse: Type.Optional(
      Type.String({
        pattern: '^PT(?:[1-9]\\d?H|[1-9]\\d{0,3}M)$',
        description:
          'for how long an earlier result of the service may be shown, with its time, where the score of now is late: hours or minutes, such as PT12H; absent: never',
      }),
    ),
    focus: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Z][A-Za-z]{1,63}$' }), {
        minItems: 1,
        uniqueItems: true,
        description:
          'resource types of the orders or appointments of the call that are predicted about, one prediction and card each; absent: one about the patient',
      }),
    ),
    cards: cardsSchema,
    suggestions: Type.Optional(suggestionsSchema),
    overrideReasons: Type.Optional(overrideReasonsSchema),
    links: Type.Optional(linksSchema),
    repeats: Type.Optional(repeatsSchema),
    systemActions: Type.Optional(systemActionsSchema),
  },
  strict,
);

export const cdsHooksSchema = Type.Array(cdsHooksService, {
  minItems: 1,
  description: 'at which moments the model speaks in an EHR, and what is shown then',
});

export type CdsHooksService = Static<typeof cdsHooksService>;
