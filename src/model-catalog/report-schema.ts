import Type from 'typebox';
import { strict } from './schema-terms.ts';

const text = (description: string) => Type.String({ minLength: 1, description });

/** `report` of `manifest.json`: that results are DiagnosticReports of imaging, and how they are called (DR-1 to DR-5). */
export const reportSchema = Type.Object(
  {
    coding: Type.Array(
      Type.Object(
        {
          system: Type.String({ format: 'uri', description: 'URI of the code system' }),
          code: text('code in it'),
          display: Type.Optional(text('its display')),
        },
        strict,
      ),
      {
        minItems: 1,
        description: "DiagnosticReport.code: the model's own kind of report, never that of the radiologist",
      },
    ),
    title: Type.String({ minLength: 1, maxLength: 120, description: 'what people call the report' }),
  },
  {
    ...strict,
    description:
      'results are preliminary DiagnosticReports of the imaging study that the model reads, with an Observation for each finding and a RiskAssessment for risks; without it a result is one of these alone',
  },
);
