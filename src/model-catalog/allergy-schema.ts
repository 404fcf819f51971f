import Type, { type Static } from 'typebox';
import { absence, described, label, strict, suspectText, tokens } from './schema-terms.ts';

export const allergy = Type.Object(
  {
    kind: Type.Literal('allergy'),
    label,
    codes: described(tokens, 'codes of AllergyIntolerance.code or of the substance of a reaction'),
    no: Type.Optional(
      described(tokens, 'codes that say that there is none of these, beside SNOMED CT 716186003 (no known allergy)'),
    ),
    when: Type.Union([Type.Literal('active'), Type.Literal('ever')], {
      description: 'active: not inactive or resolved at as-of; ever: whatever became of it',
    }),
    verification: Type.Optional(
      Type.Array(Type.Enum(['confirmed', 'unconfirmed']), {
        minItems: 1,
        uniqueItems: true,
        description: 'verification statuses that count; default both, and where none is given',
      }),
    ),
    suspectText: Type.Optional(suspectText),
    absent: Type.Optional(absence),
  },
  { ...strict, description: 'an allergy or intolerance, read as yes or no' },
);

export type AllergyDefinition = Static<typeof allergy>;
