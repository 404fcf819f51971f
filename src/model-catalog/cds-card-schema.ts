import Type, { type Static } from 'typebox';
import { strict } from './schema-terms.ts';

/** What a service of `cdsHooks` puts on its cards beside the score: words, suggestions, links, reasons to override. */

const text = (description: string) => Type.String({ minLength: 1, description });
const line = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description });

/** Of one service. */
export const mostChoices = 16;

/** A file below `cards/` with the words of a detail. */
const templateFile = (when: string) =>
  Type.Optional(
    Type.String({
      pattern: '^cards/[A-Za-z0-9][A-Za-z0-9._-]*\\.md$',
      description: `template of the detail of the card ${when}, a file of this folder; absent: the words of the server`,
    }),
  );

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
    detail: templateFile('of this level'),
  },
  strict,
);
const bandLevel = Type.Object(
  {
    band: Type.String({ minLength: 1, description: 'code of a band of the outcome' }),
    show,
    because: Type.Optional(text('why this is shown')),
    detail: templateFile('of this band'),
  },
  strict,
);

export const cardsSchema = Type.Object(
  {
    scored: Type.Array(Type.Union([level, bandLevel]), {
      minItems: 1,
      description: 'what is shown for a score: one for each band, or limits, ascending from 0',
    }),
    abstained: showSilently('where data are insufficient or out of range'),
    notEligible: showSilently('where the model is not for the patient'),
    disabled: Type.Optional(showSilently('where the service is switched off; absent: none')),
    details: Type.Optional(
      Type.Object(
        {
          abstained: templateFile('where data are insufficient or out of range'),
          notEligible: templateFile('where the model is not for the patient'),
        },
        { ...strict, description: 'templates of cards without a score' },
      ),
    ),
  },
  { ...strict, description: 'what is shown, by the verdict of the model' },
);

const action = Type.Object(
  {
    type: Type.Literal('create', { description: 'what is suggested is a new draft' }),
    description: text('what it does, in words'),
    resource: Type.String({
      pattern: '^cards/[A-Za-z0-9][A-Za-z0-9._-]*\\.json$',
      description:
        'a draft ServiceRequest, MedicationRequest or Task, a file of this folder without subject and encounter: those are filled in',
    }),
  },
  strict,
);

const suggestion = Type.Object(
  {
    label: line(200, 'what is suggested, in a few words'),
    because: text('where the advice is published, or who answers for it'),
    bands: Type.Optional(
      Type.Array(text('code of a band of the outcome'), {
        minItems: 1,
        description: 'bands, or classes, at which it is suggested; where the outcome has any',
      }),
    ),
    from: Type.Optional(Type.Number({ description: 'least score at which it is suggested; where there are no bands' })),
    isRecommended: Type.Optional(Type.Literal(true, { description: 'it is the one that is recommended' })),
    actions: Type.Optional(Type.Array(action, { minItems: 1, maxItems: 10, description: 'what it does, all of it' })),
  },
  strict,
);

export const suggestionsSchema = Type.Object(
  {
    selectionBehavior: Type.Union([Type.Literal('at-most-one'), Type.Literal('any')], {
      description: 'whether several may be taken',
    }),
    choices: Type.Array(suggestion, {
      minItems: 1,
      maxItems: mostChoices,
      description: 'what is suggested, in their order',
    }),
  },
  { ...strict, description: 'what the owner of the model suggests on a card with a score' },
);

export const overrideReasonsSchema = Type.Array(
  Type.Object(
    {
      system: Type.String({ format: 'uri', description: 'code system' }),
      code: line(200, 'code'),
      display: line(200, 'the reason in words'),
    },
    strict,
  ),
  { minItems: 1, maxItems: 20, description: 'why a score may be set aside; absent: the reasons of the server' },
);

export const linksSchema = Type.Array(
  Type.Object(
    {
      label: line(120, 'what is opened'),
      url: Type.String({
        pattern: '^https://[!-~]+$',
        description: 'absolute address (https), or launch address of a SMART app',
      }),
      type: Type.Union([Type.Literal('absolute'), Type.Literal('smart')], { description: 'a page, or a SMART app' }),
      appContext: Type.Optional(line(2_000, 'what the app is told at its launch; with smart only')),
      autolaunchable: Type.Optional(
        Type.Literal(true, { description: 'a client may open it unasked: what it shows must be on the card too' }),
      ),
    },
    strict,
  ),
  { minItems: 1, maxItems: 10, description: 'links of a card with a score, after the one to the model card' },
);

export const repeatsSchema = Type.Object(
  {
    heldFor: Type.String({
      pattern: '^PT(?:[1-9]\\d?H|[1-9]\\d{0,3}M)$',
      description: 'for how long the same card is not shown again: hours or minutes, such as PT8H',
    }),
  },
  {
    ...strict,
    description:
      'a card for the same user, subject, encounter and band is held back; never a critical one, never where the band is another',
  },
);

export const systemActionsSchema = Type.Array(
  Type.Literal('create-result', { description: 'the result itself, to be created in the record of the patient' }),
  {
    minItems: 1,
    maxItems: 1,
    description: 'what a client does unasked with a score; sent to clients only that are configured for it',
  },
);

export type CdsCards = Static<typeof cardsSchema>;
export type CdsLevel = CdsCards['scored'][number];
export type CdsSuggestions = Static<typeof suggestionsSchema>;
export type CdsSuggestion = CdsSuggestions['choices'][number];
export type CdsLink = Static<typeof linksSchema>[number];
export type OverrideReason = Static<typeof overrideReasonsSchema>[number];
/** What becomes of a card: its indicator, or none. */
export type CardShow = Static<typeof show>;
