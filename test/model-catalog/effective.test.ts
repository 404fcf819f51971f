import { expect, it } from 'vitest';
import { checkColumns } from '../../src/model-catalog/check-manifest.ts';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';

const features: Record<string, FeatureDefinition> = {
  creatinine: {
    kind: 'observation',
    label: 'Creatinine',
    unit: 'mg/dL',
    codes: ['http://loinc.org|2160-0'],
    window: 'P1Y',
    pick: 'latest',
    plausible: [0.1, 40],
    missing: 'abstain',
  },
  age: { kind: 'demographics', label: 'Age', element: 'age', unit: 'a', plausible: [0, 130] },
};
const population: FeatureMap['population'] = { exclude: [], require: [], ranges: [] };

function findings(effective: readonly string[]): string[] {
  const manifest = {
    tensors: { input: { columns: [] } },
    explanation: { reference: {} },
    outcomes: [{ id: 'egfr', kind: 'measurement', effective }],
  } as unknown as Manifest;
  return checkColumns(manifest, { language: 1, features, population }).map(({ path, message }) => `${path} ${message}`);
}

it('a result is dated by features that are measured', () => {
  expect(findings(['creatinine'])).toEqual([]);
});

it('a result is not dated by what has no time of its own, or is not there: it would be of as-of in silence', () => {
  expect(findings(['age'])).toEqual([
    '/outcomes/0/effective names age, which is nothing that the outcome is measured by',
  ]);
  expect(findings(['urea'])).toEqual(['/outcomes/0/effective names urea, which feature-map.json does not define']);
});
