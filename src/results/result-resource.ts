import type { DiagnosticReport, Observation, RiskAssessment } from '@medplum/fhirtypes';

/** What a prediction becomes: a RiskAssessment of probabilities, an Observation of anything else, or a DiagnosticReport with both in it. */
export type ResultResource = RiskAssessment | Observation | DiagnosticReport;
