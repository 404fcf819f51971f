import Type, { type Static } from 'typebox';
import { eventTerms } from './event-schema.ts';
import { described, label, strict, suspectText, tokens } from './schema-terms.ts';

/** Statuses of a procedure that has at least begun (FHIR event-status); one that was not done, or is an error, never counts. */
const begunStatuses = ['completed', 'in-progress', 'on-hold', 'stopped'] as const;

export const procedure = Type.Object(
  {
    kind: Type.Literal('procedure'),
    label,
    codes: Type.Optional(described(tokens, 'codes of Procedure.code; without them any procedure counts')),
    status: Type.Optional(
      Type.Array(Type.Enum(begunStatuses), {
        minItems: 1,
        uniqueItems: true,
        description: 'statuses that count; default completed',
      }),
    ),
    suspectText: Type.Optional(suspectText),
    ...eventTerms,
  },
  { ...strict, description: 'procedures that were performed; without codes any procedure counts' },
);

export type ProcedureDefinition = Static<typeof procedure>;
