import Type, { type Static } from 'typebox';
import { contextFieldKinds, customHookPattern, hookNames } from './hook-library.ts';

/** The section `cdsHooks` of `manifest.json`: at which moments the model speaks in an EHR, and what is shown then. */

const strict = { additionalProperties: false } as const;
const text = (description: string) => Type.String({ minLength: 1, description });

const show = Type.Union(
  [Type.Literal('info'), Type.Literal('warning'), Type.Literal('critical'), Type.Literal('none')],
  { description: 'the indicator of the card; none: no card, which is a choice' },
);
const showSilently = (when: string) =>
  Type.Union([Type.Literal('info'), Type.Literal('none')], {
    description: `the indicator of the card ${when}, or none`,
  });

const level = Type.Object(
  {
    from: Type.Number({ description: 'score, inclusive: a probability, points, or a value in the unit' }),
    show,
    because: Type.Optional(Type.String({ minLength: 1, description: 'where a threshold above 0 is published' })),
  },
  strict,
);
const bandLevel = Type.Object(
  {
    band: Type.String({ minLength: 1, description: 'code of a band of the outcome' }),
    show,
    because: Type.Optional(text('why this is shown')),
  },
  strict,
);

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
    usageRequirements: Type.Optional(text('what the client must provide')),
    outcome: Type.String({ description: 'id of the outcome that the card is about' }),
    contributions: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10,
        description: 'how many contributions a card shows; absent: 3; 0: none are computed',
      }),
    ),
    cards: Type.Object(
      {
        scored: Type.Array(Type.Union([level, bandLevel]), {
          minItems: 1,
          description: 'what is shown for a score: one for each band, or limits, ascending from 0',
        }),
        abstained: showSilently('where data are insufficient or out of range'),
        notEligible: showSilently('where the model is not for the patient'),
      },
      { ...strict, description: 'what is shown, by the verdict of the model' },
    ),
  },
  strict,
);

export const cdsHooksSchema = Type.Array(cdsHooksService, {
  minItems: 1,
  description: 'at which moments the model speaks in an EHR, and what is shown then',
});

export type CdsHooksService = Static<typeof cdsHooksService>;
export type CdsHooksLevel = CdsHooksService['cards']['scored'][number];
/** What becomes of a card: its indicator, or none. */
export type CardShow = Static<typeof show>;
