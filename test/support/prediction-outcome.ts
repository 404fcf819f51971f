import type { PredictionOutcome, Scored } from '../../src/prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../../src/prediction/prediction-request.ts';

/** A request as an entrance makes it. */
export function predictionRequest(changes: Partial<PredictionRequest> = {}): PredictionRequest {
  return {
    requestId: 'request-1',
    entrance: 'fhir-operation',
    model: 'prevent-base',
    subject: 'one',
    seed: [],
    inputs: [],
    writeBack: false,
    ...changes,
  };
}

/** A result about one outcome, with a feature in each state. */
export function scoredOutcome(changes: Partial<Scored> = {}): PredictionOutcome {
  return {
    state: 'scored',
    model: { id: 'prevent-base', version: '1.0.0', digest: 'd'.repeat(64) },
    asOf: new Date('2026-03-01T12:00:00Z'),
    identifier: 'e'.repeat(64),
    subjectBase: 'http://127.0.0.1:8080/fhir/R4',
    computedAt: new Date('2026-03-01T12:00:30Z'),
    validUntil: new Date('2026-04-01T12:00:00Z'),
    inputs: {
      features: new Map([
        ['age', { state: 'derived', value: 57, from: ['birthDate'], sources: [] }],
        ['cholesterol', { state: 'observed', value: 213.456, at: '2026-01-10T08:30:00Z', sources: [] }],
        ['creatinine', { state: 'missing', because: 'not-found', detail: 'none', sources: [] }],
        ['magnesium', { state: 'missing', because: 'not-found', detail: 'none', given: { as: 'nan' }, sources: [] }],
        ['phosphate', { state: 'imputed', value: 3.9, because: 'not-found', detail: 'none; median', sources: [] }],
        ['diabetes', { state: 'assumed-absent', value: false, detail: 'none found', sources: [] }],
      ]),
      verdicts: new Map([
        ['ascvd-10y', { state: 'score' }],
        [
          'hf-10y',
          {
            state: 'insufficient-data',
            reasons: [{ reason: 'creatinine:not-found', feature: 'creatinine', message: 'no creatinine' }],
          },
        ],
      ]),
      basis: [{ reference: 'Patient/one/_history/1' }, { reference: 'Observation/chol/_history/3' }],
    },
    timings: { gatherMs: 2.5, featuresMs: 0.25, inferMs: 0.125, explainMs: 0.5, buildMs: 0.375, writeMs: 1.5 },
    resource: { resourceType: 'RiskAssessment', status: 'final', subject: { reference: 'Patient/one' } },
    remarks: [],
    scores: new Map([['ascvd-10y', 0.1 + 0.2]]),
    bands: new Map(),
    explanation: { none: 'not asked for' },
    created: false,
    ...changes,
  } as Scored;
}
