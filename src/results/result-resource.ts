import type { Observation, RiskAssessment } from '@medplum/fhirtypes';

/** What a prediction becomes: a RiskAssessment of probabilities, or an Observation of anything else. */
export type ResultResource = RiskAssessment | Observation;
