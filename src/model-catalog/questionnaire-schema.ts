import Type, { type Static } from 'typebox';
import { described, duration, label, range, strict, tokens, unit } from './schema-terms.ts';
import { declaredUnit } from './value-forms-schema.ts';

export const questionnaire = Type.Object(
  {
    kind: Type.Literal('questionnaire'),
    label,
    questionnaire: Type.Array(Type.String({ pattern: '^[^|\\s]+(\\|[^|\\s]+)?$' }), {
      minItems: 1,
      uniqueItems: true,
      description: 'canonical URLs of the Questionnaire, each for every version, or with `|version` for that one',
    }),
    linkId: Type.String({ minLength: 1, description: 'the item whose answer is read, at whatever depth it stands' }),
    status: Type.Optional(
      Type.Array(Type.Enum(['completed', 'amended', 'in-progress', 'stopped']), {
        minItems: 1,
        uniqueItems: true,
        description: 'statuses that count; default completed, amended',
      }),
    ),
    window: described(duration, 'how long before as-of it may have been answered'),
    pick: Type.Literal('latest', { description: 'the newest response counts' }),
    unit: Type.Optional(described(unit, 'UCUM unit of a number; without it the answer is yes or no, or a code')),
    plausible: Type.Optional(range),
    numbers: Type.Optional(
      described(declaredUnit, 'decimals and integers are read, in this unit; they have none of their own'),
    ),
    yes: Type.Optional(described(tokens, 'answers that mean yes')),
    no: Type.Optional(described(tokens, 'answers that mean no')),
    trueMeans: Type.Optional(
      Type.Union([Type.Literal('yes'), Type.Literal('no')], {
        description: 'what a boolean that is true says, false the other; without it a boolean is a reason',
      }),
    ),
    vocabulary: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]*$' }), tokens, {
        ...strict,
        description: 'coded answers by the code that each stands for',
      }),
    ),
  },
  { ...strict, description: 'the answer to one question of a questionnaire' },
);

export type QuestionnaireDefinition = Static<typeof questionnaire>;
