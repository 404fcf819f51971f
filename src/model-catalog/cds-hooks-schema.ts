import Type, { type Static } from 'typebox';

/** The section `cdsHooks` of `manifest.json`: at which moments the model speaks in an EHR, and what is shown then. */

const strict = { additionalProperties: false } as const;
const text = Type.String({ minLength: 1 });

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
const showSilently = Type.Union([Type.Literal('info'), Type.Literal('none')]);

const level = Type.Object(
  {
    from: Type.Number({ minimum: 0, maximum: 1, description: 'probability, inclusive' }),
    show,
    because: Type.Optional(Type.String({ minLength: 1, description: 'where a threshold above 0 is published' })),
  },
  strict,
);
const bandLevel = Type.Object(
  {
    band: Type.String({ minLength: 1, description: 'code of a band of the outcome' }),
    show,
    because: Type.Optional(text),
  },
  strict,
);

const cdsHooksService = Type.Object(
  {
    id: Type.Optional(
      Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$', description: 'last part of the address; absent: the model id' }),
    ),
    hook: Type.Enum([...hookNames]),
    title: Type.String({ minLength: 1, maxLength: 120 }),
    description: text,
    usageRequirements: Type.Optional(text),
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
        scored: Type.Array(Type.Union([level, bandLevel]), { minItems: 1 }),
        abstained: showSilently,
        notEligible: showSilently,
      },
      strict,
    ),
  },
  strict,
);

export const cdsHooksSchema = Type.Array(cdsHooksService, { minItems: 1 });

export type CdsHooksService = Static<typeof cdsHooksService>;
export type CdsHooksLevel = CdsHooksService['cards']['scored'][number];
/** What becomes of a card: its indicator, or none. */
export type CardShow = Static<typeof show>;
