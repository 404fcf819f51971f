import { expect, it } from 'vitest';
import type { FeatureValue, ModelInputs } from '../../src/features/feature-vector.ts';
import { shownInputs } from '../../src/features/shown-inputs.ts';

const patient = { reference: 'Patient/1/_history/1' };
const visit = { reference: 'Encounter/e/_history/1' };
const test = { reference: 'Observation/hiv/_history/1' };

const values: Record<string, FeatureValue> = {
  age: { state: 'observed', value: 61, sources: [patient] },
  hivStatus: { state: 'observed', value: true, sources: [test, visit] },
  statin: { state: 'assumed-absent', value: false, detail: 'none', sources: [visit] },
};

function inputs(changes: Partial<ModelInputs> = {}): ModelInputs {
  return {
    features: new Map(Object.entries(values)),
    verdicts: new Map([['death', { state: 'score' }]]),
    basis: [patient, test, visit],
    ...changes,
  };
}

it('the inputs of a map without sensitive features are told as they are', () => {
  const all = inputs();
  expect(shownInputs(all, new Set())).toBe(all);
});

it('a sensitive feature stands apart, and a resource that is there for it alone is none of the basis', () => {
  const shown = shownInputs(inputs(), new Set(['hivStatus']));
  expect([...shown.features.keys()]).toEqual(['age', 'statin']);
  expect([...(shown.hidden?.keys() ?? [])]).toEqual(['hivStatus']);
  expect(shown.basis).toEqual([patient, visit]);
});

it.each([
  { reason: 'hivStatus:not-found', feature: 'hivStatus', message: 'nothing found' },
  { reason: 'cd4:cross-check', feature: 'cd4', message: 'they differ (cd4 12, hivStatus 1)' },
  { reason: 'no-hivStatus', message: 'only for people of one status' },
])('no reason of a verdict tells of a sensitive feature: $reason', (told) => {
  const other = { reason: 'age', feature: 'age', message: 'age lies outside 30 to 79' };
  const verdicts = new Map([['death', { state: 'not-eligible' as const, reasons: [told, other] }]]);
  const shown = shownInputs(inputs({ verdicts }), new Set(['hivStatus'])).verdicts.get('death');
  expect(JSON.stringify(shown)).not.toMatch(/hiv/i);
  expect(shown).toMatchObject({ state: 'not-eligible', reasons: [other, { reason: 'not-shown' }] });
});
