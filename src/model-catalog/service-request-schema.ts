import Type, { type Static } from 'typebox';
import { eventTerms } from './event-schema.ts';
import { described, label, strict, suspectText, tokens } from './schema-terms.ts';

export const serviceRequest = Type.Object(
  {
    kind: Type.Literal('service-request'),
    label,
    codes: Type.Optional(described(tokens, 'codes of ServiceRequest.code; without them any service counts')),
    category: Type.Optional(described(tokens, 'codes of ServiceRequest.category; where given, one must be listed too')),
    status: Type.Optional(
      Type.Array(Type.Enum(['active', 'on-hold', 'completed']), {
        minItems: 1,
        uniqueItems: true,
        description: 'statuses that count; default active, completed',
      }),
    ),
    intent: Type.Optional(
      Type.Array(
        Type.Enum(['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order', 'directive', 'plan']),
        {
          minItems: 1,
          uniqueItems: true,
          description: 'intents that count; default every kind of order. A proposal and an option never count',
        },
      ),
    ),
    of: Type.Optional(
      Type.Literal('encounter', { description: 'only what the encounter of the call is for (Encounter.basedOn)' }),
    ),
    suspectText: Type.Optional(suspectText),
    ...eventTerms,
  },
  { ...strict, description: 'services that were asked for; the time is authoredOn' },
);

export type ServiceRequestDefinition = Static<typeof serviceRequest>;
