import type { RiskAssessment } from '@medplum/fhirtypes';
import type { FeatureValue, SourceReference } from '../../src/features/feature-vector.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import type { ProbabilityOutcome } from '../../src/model-catalog/outcome-schema.ts';
import { buildResult } from '../../src/results/build-result.ts';
import { modelDevice } from '../../src/results/model-device.ts';
import { createResultFrame } from '../../src/results/result-frame.ts';
import { resultIdentifier } from '../../src/results/result-identifier.ts';
import type { FeatureLabel, ResultRequest } from '../../src/results/result-request.ts';
import { asRiskAssessment } from './as-risk-assessment.ts';
import { unloadedEngine } from './unloaded-engine.ts';

const digest = 'ab12cd34ef56ab12cd34ef56ab12cd34ef56ab12cd34ef56ab12cd34ef56ab12';

/** The bands of the ACC/AHA 2019 prevention guideline. */
export const guidelineBands: NonNullable<ProbabilityOutcome['bands']> = {
  citation: 'ACC/AHA 2019, doi:10.1161/CIR.0000000000000678',
  levels: [
    { code: 'low', display: 'low risk', from: 0, below: 0.05, riskProbability: 'low' },
    { code: 'borderline', display: 'borderline risk', from: 0.05, below: 0.075 },
    { code: 'intermediate', display: 'intermediate risk', from: 0.075, below: 0.2, riskProbability: 'moderate' },
    { code: 'high', display: 'high risk', from: 0.2, riskProbability: 'high' },
  ],
};

export const testOutcomes: ProbabilityOutcome[] = [
  {
    id: 'ascvd-10y',
    label: 'Atherosclerotic cardiovascular disease',
    coding: [{ system: 'http://snomed.info/sct', code: '49601007', display: 'Disorder of cardiovascular system' }],
    kind: 'probability',
    column: 0,
    horizon: 'P10Y',
    bands: guidelineBands,
  },
  { id: 'hf-30y', label: 'Heart failure', kind: 'probability', column: 1, horizon: 'P30Y' },
];

/** A synthetic model that exists in tests only. */
const testManifest: Manifest = {
  id: 'test-model',
  version: '1.2.3',
  title: 'Test model',
  publisher: 'Test publisher',
  description: 'A synthetic model for tests; not for clinical use.',
  intendedUse: 'Tests',
  cautions: [],
  sources: [{ citation: 'None: synthetic' }],
  validFor: 'P1Y',
  tensors: {
    input: { name: 'x', type: 'float64', columns: [{ feature: 'age' }, { feature: 'systolicBloodPressure' }] },
    output: { name: 'y', type: 'float64', columns: 2 },
  },
  outcomes: testOutcomes,
  explanation: { method: 'occlusion', reference: { age: 55, systolicBloodPressure: 120 }, because: 'tests' },
  checksums: {},
};

/** The card of the synthetic model, as Markdown. */
export const testCard = '# Test model, version 1.2.3\n';

const testFeatures: Record<string, FeatureLabel> = {
  age: { label: 'Age', unit: 'a' },
  systolicBloodPressure: { label: 'Systolic blood pressure', unit: 'mm[Hg]' },
  totalCholesterol: { label: 'Total cholesterol', unit: 'mg/dL' },
  egfr: { label: 'eGFR', unit: 'mL/min/{1.73_m2}' },
  sex: { label: 'Sex' },
  statin: { label: 'Statin' },
  creatinine: { label: 'Creatinine', unit: 'mg/dL' },
  priorCvd: { label: 'Prior <cardiovascular> disease & "stroke"' },
};

export const source = (reference: string): SourceReference => ({ reference });

export const testValues: Record<string, FeatureValue> = {
  age: { state: 'observed', value: 61, sources: [source('Patient/17/_history/2')] },
  systolicBloodPressure: {
    state: 'observed',
    value: 141,
    at: '2026-02-28T09:30:00+01:00',
    sources: [source('Observation/bp/_history/1')],
  },
  totalCholesterol: {
    state: 'observed',
    value: 213.0023,
    at: '2026-02-01',
    original: { value: 5.51, unit: 'mmol/L' },
    sources: [source('Observation/tc/_history/3'), source('Observation/tc2/_history/1')],
  },
  egfr: {
    state: 'derived',
    value: 77.25,
    from: ['creatinine', 'age', 'sex'],
    sources: [source('Observation/cr/_history/1')],
  },
  sex: { state: 'observed', value: 'female', sources: [source('Patient/17/_history/2')] },
  statin: {
    state: 'assumed-absent',
    value: false,
    detail: 'no Statin in the complete record; last encounter within P1Y',
    at: '2026-02-28T09:00:00+01:00',
    sources: [source('Encounter/e1/_history/1')],
  },
  creatinine: { state: 'observed', value: 0.9, at: '2026-02-01', sources: [source('Observation/cr/_history/1')] },
  priorCvd: {
    state: 'missing',
    because: 'undecodable',
    detail: 'a Condition has text only',
    sources: [{ reference: '', display: 'Condition sent without an id' }],
  },
};

/** A scored request for one synthetic subject; every part can be replaced. */
export function resultRequest(
  changes: Partial<ResultRequest> & { readonly manifest?: Partial<Manifest> } = {},
): ResultRequest {
  const { manifest, ...rest } = changes;
  const features = new Map(Object.entries(testValues));
  const model = {
    id: 'test-model',
    version: '1.2.3',
    title: 'Test model',
    digest,
    manifest: { ...testManifest, ...manifest },
    engine: unloadedEngine.engine,
  };
  const made = {
    model,
    subject: { tenant: 'default', base: 'http://127.0.0.1:8080/fhir/R4', id: '17', own: true },
    asOf: new Date('2026-03-01T09:00:00Z'),
    computedAt: new Date('2026-03-01T09:00:12.345Z'),
    timeZone: 'Europe/Berlin',
    inputs: {
      features,
      verdicts: new Map([
        ['ascvd-10y', { state: 'score' }],
        [
          'hf-30y',
          {
            state: 'not-eligible',
            reasons: [{ reason: 'age', feature: 'age', message: 'age 61 is outside 30 to 59' }],
          },
        ],
      ]),
      basis: [...new Set([...features.values()].flatMap(({ sources }) => [...sources]))],
    },
    scores: new Map([
      ['ascvd-10y', 0.147],
      ['hf-30y', 0.33],
    ]),
    details: new Map(),
    explanation: {
      contributions: [
        { feature: 'age', outcome: 'ascvd-10y', difference: 0.053 },
        { feature: 'systolicBloodPressure', outcome: 'ascvd-10y', difference: -0.0000000001 },
        { feature: 'age', outcome: 'hf-30y', difference: 0.2 },
      ],
      bases: [
        { outcome: 'ascvd-10y', scale: 'score', base: 0.08 },
        { outcome: 'hf-30y', scale: 'score', base: 0.1 },
      ],
    },
    features: testFeatures,
    testData: false,
    heldByCaller: false,
    deviceReference: `Device/${modelDevice(rest.model ?? model, testCard).id}`,
    modelCard: 'http://127.0.0.1:8080/models/test-model/versions/1.2.3/card',
    ...rest,
  } satisfies Omit<ResultRequest, 'identifier' | 'frame'>;
  const frame = createResultFrame(made.model.manifest, made.features);
  return { ...made, frame, identifier: resultIdentifier(made) };
}

/** The result of a model that gives probabilities. */
export function buildRisk(request: ResultRequest): RiskAssessment {
  return asRiskAssessment(buildResult(request));
}
