import Type, { type Static } from 'typebox';
import { component } from './observation-schema.ts';
import { described, duration, label, strict, tokens } from './schema-terms.ts';

export const text = Type.Object(
  {
    kind: Type.Literal('text'),
    label,
    from: Type.Optional(
      Type.Union([Type.Literal('observation'), Type.Literal('report')], {
        description: 'whether an Observation (default) or the conclusion of a DiagnosticReport is read',
      }),
    ),
    codes: Type.Optional(
      described(
        tokens,
        'codes of Observation.code or DiagnosticReport.code; `codes` or `component` or both are needed',
      ),
    ),
    component: Type.Optional(component),
    status: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        description: 'statuses that count; default final, amended, corrected, and of a report appended',
      }),
    ),
    window: described(duration, 'how long before as-of the text may have been written'),
    pick: Type.Union([Type.Literal('latest'), Type.Literal('earliest')], {
      description: 'the newest or the oldest text of the window counts',
    }),
    codedAnswers: Type.Optional(
      Type.Literal('text', {
        description: 'of a coded answer its text is read; without it such an answer is a reason',
      }),
    ),
    normalise: Type.Union([Type.Literal('none'), Type.Literal('trim-and-collapse')], {
      description:
        'white space as it is, or none at the ends and one space for each run of it; Unicode is always in NFC',
    }),
    maxLength: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description: 'the longest text in characters (code points), after normalise; a longer one is a reason',
    }),
    longer: Type.Optional(
      Type.Literal('cut', {
        description: 'of a longer text its first `maxLength` characters are read, and this is told',
      }),
    ),
    missing: Type.Literal('abstain', { description: 'a text is never made up' }),
  },
  { ...strict, description: 'the words of one observation or report, such as a triage note' },
);

export type TextDefinition = Static<typeof text>;
