import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { resultIdentifier } from '../../src/results/result-identifier.ts';
import type { ResultRequest } from '../../src/results/result-request.ts';
import { readImage } from '../support/image-map.ts';
import { resultRequest, source, testValues } from '../support/result-request.ts';

const base = resultRequest();
const identifier = resultIdentifier(base);

function withFeature(name: string, value: FeatureValue): ResultRequest {
  return { ...base, inputs: { ...base.inputs, features: new Map(base.inputs.features).set(name, value) } };
}

test('the identifier is a SHA-256 and stays the same whenever it is computed', () => {
  expect(identifier).toMatch(/^[0-9a-f]{64}$/);
  expect(resultIdentifier({ ...base, computedAt: new Date('2027-01-01T00:00:00Z') } as ResultRequest)).toBe(identifier);
  expect(resultIdentifier({ ...base, explanation: { none: 'failed' } } as ResultRequest)).toBe(identifier);
});

test('the order of features, verdicts, sources and basis does not matter', () => {
  const entries = [...base.inputs.features];
  fc.assert(
    fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
      const features = new Map(
        shuffled.map(([name, value]) => [name, { ...value, sources: [...value.sources].reverse() }]),
      );
      const verdicts = new Map([...base.inputs.verdicts].reverse());
      const basis = [...base.inputs.basis].reverse();
      expect(resultIdentifier({ ...base, inputs: { features, verdicts, basis } } as ResultRequest)).toBe(identifier);
    }),
    { numRuns: 20 },
  );
});

const statin = testValues.statin as Extract<FeatureValue, { state: 'assumed-absent' }>;
const pressure = testValues.systolicBloodPressure as Extract<FeatureValue, { state: 'observed' }>;

const steps = { value: [61, 62], mask: [1, 1], since: [0, 0] };
const sequence = (parts: Partial<typeof steps>): FeatureValue => ({
  state: 'derived',
  value: 2,
  from: [],
  sources: [],
  steps: { ...steps, ...parts },
});

test('two sequences that differ in one bin only are two predictions', () => {
  const same = resultIdentifier(withFeature('creatinine', sequence({})));
  expect(resultIdentifier(withFeature('creatinine', sequence({})))).toBe(same);
  const others = [{ value: [61, 63] }, { mask: [1, 0] }, { since: [0, 1] }].map((parts) =>
    resultIdentifier(withFeature('creatinine', sequence(parts))),
  );
  expect(new Set([same, ...others]).size).toBe(4);
});

test('two texts of one length that say another thing, or of which one was cut, are two predictions', () => {
  const note = (content: string, cutFrom?: number): FeatureValue => ({
    state: 'observed',
    value: 4,
    text: { content, ...(cutFrom === undefined ? {} : { cutFrom }) },
    sources: [],
  });
  const identifiers = [note('pain'), note('none'), note('pain', 5), note('pain', 6)].map((value) =>
    resultIdentifier(withFeature('creatinine', value)),
  );
  expect(new Set(identifiers).size).toBe(4);
});

test('a text that its versioned source names is not in the identifier, lest a reader of the result tries what it may say', () => {
  const note = (content: string, reference: string): FeatureValue => ({
    state: 'observed',
    value: 4,
    text: { content },
    sources: [source(reference)],
  });
  const identifierOf = (content: string, reference: string) =>
    resultIdentifier(withFeature('creatinine', note(content, reference)));
  const named = identifierOf('pain', 'Observation/note/_history/1');
  expect(identifierOf('none', 'Observation/note/_history/1')).toBe(named);
  expect(identifierOf('none', 'Observation/note/_history/2')).not.toBe(named);
  expect(identifierOf('none', 'Observation/note')).not.toBe(identifierOf('pain', 'Observation/note'));
});

test('two images that differ in one pixel, or come from another frame, are two predictions', () => {
  const identifiers = [readImage(), readImage([0, 0.25, 0.5, 0.75]), readImage(undefined, 2)].map((image) =>
    resultIdentifier(withFeature('creatinine', image)),
  );
  expect(new Set(identifiers).size).toBe(3);
});

const changed: [string, ResultRequest][] = [
  ['tenant', { ...base, subject: { ...base.subject, tenant: 'other' } }],
  ['FHIR base', { ...base, subject: { ...base.subject, base: 'https://ehr.example/fhir' } }],
  ['subject', { ...base, subject: { ...base.subject, id: '18' } }],
  ['encounter', { ...base, encounter: 'e1' }],
  ['order', { ...base, focus: 'ServiceRequest/1' }],
  ['another order', { ...base, focus: 'ServiceRequest/2' }],
  ['model', { ...base, model: { ...base.model, id: 'other-model' } }],
  ['model version', { ...base, model: { ...base.model, version: '1.2.4' } }],
  ['model digest', { ...base, model: { ...base.model, digest: 'f'.repeat(64) } }],
  ['as-of', { ...base, asOf: new Date('2026-03-01T09:01:00Z') }],
  [
    'unit of a feature',
    { ...base, features: { ...base.features, creatinine: { label: 'Creatinine', unit: 'umol/L' } } },
  ],
  ['value', withFeature('systolicBloodPressure', { ...pressure, value: 142 })],
  [
    'source version',
    withFeature('systolicBloodPressure', { ...pressure, sources: [source('Observation/bp/_history/2')] }),
  ],
  ['clinical time', withFeature('systolicBloodPressure', { ...pressure, at: '2026-02-28T09:31:00+01:00' })],
  [
    'value that was given',
    withFeature('systolicBloodPressure', { ...pressure, original: { value: 141, unit: 'mm[Hg]', comparator: '<' } }),
  ],
  ['state', withFeature('systolicBloodPressure', { state: 'asserted', value: 141, sources: pressure.sources })],
  ['kind of value', withFeature('statin', { state: 'observed', value: false, sources: statin.sources })],
  [
    'imputed value',
    withFeature('priorCvd', { state: 'imputed', value: false, because: 'undecodable', detail: '', sources: [] }),
  ],
  ['reason', withFeature('priorCvd', { state: 'missing', because: 'conflict', detail: '', sources: [] })],
  [
    'verdict',
    {
      ...base,
      inputs: { ...base.inputs, verdicts: new Map([...base.inputs.verdicts]).set('hf-30y', { state: 'score' }) },
    },
  ],
];

test.each(changed)('another %s gives another identifier', (_, request) => {
  expect(resultIdentifier(request)).not.toBe(identifier);
});

test('parts that run into each other are kept apart', () => {
  const one = { ...base, subject: { ...base.subject, tenant: 'a', id: 'bc' } };
  const other = { ...base, subject: { ...base.subject, tenant: 'ab', id: 'c' } };
  expect(resultIdentifier(one)).not.toBe(resultIdentifier(other));
});
