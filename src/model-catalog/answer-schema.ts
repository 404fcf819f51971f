import Type, { type Static } from 'typebox';
import { component, together } from './observation-schema.ts';
import {
  described,
  duration,
  label,
  missingPolicy,
  range,
  strict,
  tokens,
  tokensOrNone,
  unit,
} from './schema-terms.ts';

const found = {
  label,
  codes: Type.Optional(described(tokens, 'codes of Observation.code, the question')),
  component: Type.Optional(component),
  status: Type.Optional(
    Type.Array(Type.String(), { minItems: 1, description: 'statuses that count; default final, amended, corrected' }),
  ),
  window: described(duration, 'how long before as-of the answer may have been given'),
  pick: Type.Literal('latest', { description: 'the newest answer counts' }),
  together: Type.Optional(together),
};

export const answer = Type.Object(
  {
    kind: Type.Literal('answer'),
    ...found,
    yes: Type.Optional(described(tokens, 'codings of the answer that mean yes')),
    no: Type.Optional(described(tokens, 'codings of the answer that mean no')),
    trueMeans: Type.Optional(
      Type.Union([Type.Literal('yes'), Type.Literal('no')], {
        description: 'what a boolean that is true says, false the other; without it a boolean is a reason',
      }),
    ),
    yesAbove: Type.Optional(
      Type.Object(
        {
          limit: Type.Number({ description: 'a larger quantity is a yes, this and smaller ones are a no' }),
          unit,
          plausible: range,
        },
        { ...strict, description: 'how a quantity answers; without it a quantity is a reason' },
      ),
    ),
    missing: missingPolicy(Type.Boolean()),
  },
  { ...strict, description: 'an answer read as yes or no; a code in neither list is a reason, not a no' },
);

export const category = Type.Object(
  {
    kind: Type.Literal('category'),
    ...found,
    levels: Type.Record(Type.String({ pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$' }), tokensOrNone, {
      ...strict,
      minProperties: 2,
      description: 'codings of the answer by level; only the level of `unseen` may have none of its own',
    }),
    unseen: Type.String({
      pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$',
      description:
        'what becomes of a code of a known system that no level lists: abstain, or the level that stands for every other',
    }),
    missing: missingPolicy(Type.String()),
  },
  { ...strict, description: 'a coded answer as one of a declared set of levels' },
);

export type AnswerDefinition = Static<typeof answer>;
export type CategoryDefinition = Static<typeof category>;
