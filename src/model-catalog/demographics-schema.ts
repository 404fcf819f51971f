import Type, { type Static } from 'typebox';
import { label, range, strict, unit } from './schema-terms.ts';

/** What the Patient resource says. */
export const demographics = Type.Object(
  {
    kind: Type.Literal('demographics'),
    label,
    element: Type.Enum(['age', 'sex', 'race', 'ethnicity', 'birth-sex'], {
      description:
        'age in completed years at as-of; sex by the sources of `from`; race and ethnicity by the OMB category of US Core; birth-sex by the extension of US Core',
    }),
    from: Type.Optional(
      Type.Array(
        Type.Enum(['administrative-gender', 'us-core-birth-sex', 'us-core-sex', 'patient-sexParameterForClinicalUse']),
        {
          minItems: 1,
          uniqueItems: true,
          description:
            'for sex: what is read, in order: Patient.gender or an extension of that name; Patient.gender alone where it is left out',
        },
      ),
    ),
    disagree: Type.Optional(
      Type.Union([Type.Literal('conflict'), Type.Literal('first')], {
        description:
          'for sex: what becomes of sources that say different things: a reason (default), or the first that says something counts',
      }),
    ),
    saysNothing: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        uniqueItems: true,
        description: 'for sex: codes that count as if the source were not there, such as unknown or asked but declined',
      }),
    ),
    unit: Type.Optional(unit),
    vocabulary: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-z-]*$' }),
        Type.Array(Type.String({ minLength: 1 }), { uniqueItems: true }),
        {
          ...strict,
          description:
            'codes per value: a plain code where the element is a code, `system|code` where it is a coding; an empty list stands for every other or several categories, not for sex',
        },
      ),
    ),
    plausible: Type.Optional(range),
  },
  { ...strict, description: 'what the Patient resource says: age, sex, race, ethnicity, sex at birth' },
);

export type DemographicsDefinition = Static<typeof demographics>;
