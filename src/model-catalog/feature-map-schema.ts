import Type, { type Static } from 'typebox';
import { address } from './address-schema.ts';
import { allergy } from './allergy-schema.ts';
import { answer, category } from './answer-schema.ts';
import { appointment } from './appointment-schema.ts';
import { demographics } from './demographics-schema.ts';
import { familyHistory } from './family-history-schema.ts';
import { image } from './image-schema.ts';
import { input } from './input-schema.ts';
import { medication } from './medication-schema.ts';
import { modelOutput } from './model-output-schema.ts';
import { observation, panel } from './observation-schema.ts';
import { populationSchema } from './population-schema.ts';
import { procedure } from './procedure-schema.ts';
import { questionnaire } from './questionnaire-schema.ts';
import {
  absence,
  conceptCodes,
  conceptName,
  described,
  duration,
  featureName,
  label,
  missingPolicy,
  range,
  schemaLink,
  strict,
  suspectText,
  timeUnit,
  tokens,
  unit,
  zero,
} from './schema-terms.ts';
import { sequence } from './sequence-schema.ts';
import { serviceRequest } from './service-request-schema.ts';
import { text } from './text-schema.ts';

/**
 * The language of `feature-map.json`, version 1. One entry per feature says where in the record it comes
 * from, in which unit, over which window, which of several values counts, and what absence means.
 */

const condition = Type.Object(
  {
    kind: Type.Literal('condition'),
    label,
    codes: described(tokens, 'codes of Condition.code'),
    when: Type.Union([Type.Literal('active'), Type.Literal('ever')], {
      description: 'active: not abated before as-of; ever: onset at or before as-of',
    }),
    suspectText: Type.Optional(suspectText),
    absent: absence,
  },
  { ...strict, description: 'a diagnosis, read as yes or no' },
);

/**
 * Arithmetic in prefix form: a number, a feature name, or [operator, …operands]. Operators: + - * / pow min max ln exp,
 * and ["if-equal", feature, code, then, else] for a coded feature.
 */
const expression = Type.Unsafe<Expression>({
  anyOf: [{ type: 'number' }, { type: 'string' }, { type: 'array', minItems: 2 }],
  description:
    'arithmetic in prefix form: a number, a feature name, or [operator, …operands] with + - * / pow min max ln exp, or ["if-equal", feature, code, then, else]',
});

const derived = Type.Object(
  {
    kind: Type.Literal('derived'),
    label,
    unit,
    expression,
    source: Type.String({ minLength: 1, description: 'where the formula is published' }),
    plausible: Type.Optional(range),
    missing: Type.Optional(missingPolicy(Type.Number())),
  },
  { ...strict, description: 'computed from other features' },
);

const encounter = Type.Object(
  {
    kind: Type.Literal('encounter'),
    label,
    class: Type.Optional(described(tokens, 'encounter classes that count')),
    window: Type.Optional(described(duration, 'how long before its end the encounter may have begun')),
    anchor: Type.Optional(
      Type.Union([Type.Literal('as-of'), Type.Literal('encounter-start')], {
        description: 'where the window ends: at as-of (default), or where the encounter of the call began',
      }),
    ),
    excludeIndex: Type.Optional(Type.Boolean({ description: 'the encounter of the call is not counted' })),
    pick: Type.Enum(['count', 'time-since', 'length-of-stay', 'nights'], {
      description:
        'how many there are, how long ago the last one was, how long the one of the call lasted, or how many midnights of the site lay in it',
    }),
    per: Type.Optional(timeUnit),
    absent: Type.Optional(zero),
  },
  {
    ...strict,
    description: 'encounters of some classes that began in the window; or how long the encounter of the call lasted',
  },
);

const firstOf = Type.Object(
  {
    kind: Type.Literal('first-of'),
    label,
    of: Type.Array(featureName, {
      minItems: 2,
      uniqueItems: true,
      description: 'features of one kind and unit, in order',
    }),
    unit: Type.Optional(unit),
    passOver: Type.Array(Type.String(), {
      minItems: 1,
      uniqueItems: true,
      description: 'reasons for which the next is asked; any other reason is the reason of this feature',
    }),
    missing: Type.Optional(missingPolicy(Type.Union([Type.Number(), Type.Boolean()]))),
  },
  {
    ...strict,
    description: 'the first of several features that has a value; the others say why they were passed over',
  },
);

const concept = Type.Object(
  { display: described(label, 'what the concept is, for people'), codes: conceptCodes },
  strict,
);

const kinds = [
  demographics,
  address,
  observation,
  answer,
  category,
  text,
  sequence,
  image,
  condition,
  medication,
  procedure,
  encounter,
  derived,
  firstOf,
  modelOutput,
  input,
  questionnaire,
  appointment,
  allergy,
  familyHistory,
  serviceRequest,
] as const;
const sensitive = Type.String({
  minLength: 1,
  description:
    'why nobody is shown it (HIV status, a psychiatric diagnosis): it is scored, and stands in no card, contribution, result or audit event',
});
type Kind = Static<(typeof kinds)[number]> & { readonly sensitive?: string };
// oneOf with a discriminator, so that an error names the key of the kind that was meant, not every other kind's.
const feature = Type.Unsafe<Kind>({
  type: 'object',
  discriminator: { propertyName: 'kind' },
  properties: { kind: { type: 'string', description: 'which kind of feature it is; the other keys follow from it' } },
  required: ['kind'],
  oneOf: kinds.map((kind) => ({ ...kind, properties: { ...kind.properties, sensitive } })),
});

export const featureMapSchema = Type.Object(
  {
    $schema: schemaLink,
    language: Type.Literal(1, { description: 'version of the language' }),
    features: Type.Record(featureName, feature, {
      ...strict,
      description: 'by name: where each input of the model comes from in FHIR',
    }),
    panels: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9]{1,63}$' }), panel, {
        ...strict,
        description: 'which measurements belong together; features name theirs by `together`',
      }),
    ),
    concepts: Type.Optional(
      Type.Record(conceptName, concept, {
        ...strict,
        description: 'lists of codes by name; features name them, and a site file can add its local codes',
      }),
    ),
    population: populationSchema,
  },
  strict,
);

/** A feature map whose lists hold `system|code` only. */
export type FeatureMap = Static<typeof featureMapSchema>;
/** A feature map as its file has it: lists of codes may name value sets and concepts. */
export type FeatureMapFile = Omit<FeatureMap, 'features' | 'concepts'> & {
  readonly features: Readonly<Record<string, { readonly kind: string }>>;
  readonly concepts?: Readonly<Record<string, { readonly display: string; readonly codes: readonly unknown[] }>>;
};
export type FeatureDefinition = Static<typeof feature>;
export type { AddressDefinition } from './address-schema.ts';
export type { AllergyDefinition } from './allergy-schema.ts';
export type { AnswerDefinition, CategoryDefinition } from './answer-schema.ts';
export type { AppointmentDefinition } from './appointment-schema.ts';
export type { DemographicsDefinition } from './demographics-schema.ts';
export type { FamilyHistoryDefinition } from './family-history-schema.ts';
export type { ImageDefinition } from './image-schema.ts';
export type { InputDefinition } from './input-schema.ts';
export type { ModelOutputDefinition } from './model-output-schema.ts';
export type { LocalUnits, ObservationDefinition, PanelDefinition, WhereDefinition } from './observation-schema.ts';
export type { ProcedureDefinition } from './procedure-schema.ts';
export type { QuestionnaireDefinition } from './questionnaire-schema.ts';
export type { SequenceDefinition } from './sequence-schema.ts';
export type { ServiceRequestDefinition } from './service-request-schema.ts';
export type { TextDefinition } from './text-schema.ts';
export type ConditionDefinition = Static<typeof condition>;
export type { MedicationDefinition } from './medication-schema.ts';
export type DerivedDefinition = Static<typeof derived>;
export type EncounterDefinition = Static<typeof encounter>;
export type FirstOfDefinition = Static<typeof firstOf>;
export type Expression = number | string | readonly Expression[];
