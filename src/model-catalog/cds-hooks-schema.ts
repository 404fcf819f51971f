import Type, { type Static } from 'typebox';

/** The section `cdsHooks` of `manifest.json`: at which moments the model speaks in an EHR, and what is shown then. */

const strict = { additionalProperties: false } as const;
const text = (description: string) => Type.String({ minLength: 1, description });

export const hookNames = [
  'patient-view',
  'encounter-start',
  'encounter-discharge',
  'order-select',
  'order-sign',
  'order-dispatch',
  'appointment-book',
  'allergyintolerance-create',
  'problem-list-item-create',
  'medication-refill',
] as const;
/** Hooks of the CDS Hooks library whose context names a patient. */
export type HookName = (typeof hookNames)[number];

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

const cdsHooksService = Type.Object(
  {
    id: Type.Optional(
      Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$', description: 'last part of the address; absent: the model id' }),
    ),
    hook: Type.Enum([...hookNames], { description: 'moment of the workflow, a hook of the CDS Hooks library' }),
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
