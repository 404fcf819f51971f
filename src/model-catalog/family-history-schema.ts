import Type, { type Static } from 'typebox';
import { absence, described, label, strict, suspectText, tokens } from './schema-terms.ts';

export const familyHistory = Type.Object(
  {
    kind: Type.Literal('family-history'),
    label,
    codes: described(tokens, 'codes of FamilyMemberHistory.condition.code'),
    relationships: Type.Optional(described(tokens, 'codes of the relatives that count; without it every relative')),
    onsetBefore: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 130,
        description: 'began before this age of the relative, in years',
      }),
    ),
    suspectText: Type.Optional(suspectText),
    absent: Type.Optional(
      described(absence, 'when none found may be read as no: also a completed history of such a relative is needed'),
    ),
  },
  { ...strict, description: 'a disease of a relative, read as yes or no' },
);

export type FamilyHistoryDefinition = Static<typeof familyHistory>;
